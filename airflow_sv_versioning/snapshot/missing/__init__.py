"""Items whose media are gone: finding them, and what a restore does about them."""
