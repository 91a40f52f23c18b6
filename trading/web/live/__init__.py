"""The live socket of the pages: one hub a process, one consumer a browser tab."""
