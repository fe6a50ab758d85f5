"""A fuzzer of archives: genuine ones of every type and format, changed at random, and what reading them does.

Each case is made of its number alone, so that a finding can be made again: ``python -m tests.fuzz --first 17
--seeds 1``. Every outcome has to be success or one of our own errors, within bounds of memory and time.
"""
