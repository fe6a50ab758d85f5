"""The opcodes of pickle that genuine payloads hold.

Source: the language's ``pickletools``; which of them occur was observed with SDK 6.74.51 and older.
"""

from __future__ import annotations

PROTO = 0x80
FRAME = 0x95
STOP = ord(".")
MARK = ord("(")

NONE = ord("N")
NEWTRUE = 0x88
NEWFALSE = 0x89
BININT = ord("J")
BININT1 = ord("K")
BININT2 = ord("M")
LONG1 = 0x8A
BINFLOAT = ord("G")
BINUNICODE = ord("X")
SHORT_BINUNICODE = 0x8C
BINUNICODE8 = 0x8D

EMPTY_LIST = ord("]")
APPEND = ord("a")
APPENDS = ord("e")
EMPTY_DICT = ord("}")
SETITEM = ord("s")
SETITEMS = ord("u")
EMPTY_TUPLE = ord(")")
TUPLE = ord("t")

MEMOIZE = 0x94
BINPUT = ord("q")
LONG_BINPUT = ord("r")
BINGET = ord("h")
LONG_BINGET = ord("j")

GLOBAL = ord("c")
STACK_GLOBAL = 0x93
NEWOBJ = 0x81
BUILD = ord("b")

FOREIGN = {
    ord("R"): "REDUCE",
    ord("i"): "INST",
    ord("o"): "OBJ",
    ord("P"): "PERSID",
    ord("Q"): "BINPERSID",
    0x82: "EXT1",
    0x83: "EXT2",
    0x84: "EXT4",
    0x92: "NEWOBJ_EX",
    ord("0"): "POP",
    ord("1"): "POP_MARK",
    ord("2"): "DUP",
    ord("p"): "PUT",
    ord("g"): "GET",
    ord("I"): "INT",
    ord("L"): "LONG",
    ord("F"): "FLOAT",
    ord("S"): "STRING",
    ord("T"): "BINSTRING",
    ord("U"): "SHORT_BINSTRING",
    ord("V"): "UNICODE",
    ord("B"): "BINBYTES",
    ord("C"): "SHORT_BINBYTES",
    0x8E: "BINBYTES8",
    0x96: "BYTEARRAY8",
    0x97: "NEXT_BUFFER",
    0x98: "READONLY_BUFFER",
    ord("l"): "LIST",
    ord("d"): "DICT",
    0x85: "TUPLE1",
    0x86: "TUPLE2",
    0x87: "TUPLE3",
    0x8B: "LONG4",
    0x8F: "EMPTY_SET",
    0x90: "ADDITEMS",
    0x91: "FROZENSET",
}
"""Opcodes of the language that no genuine payload holds, by name for messages."""
