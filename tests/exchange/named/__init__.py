"""How each named fault shows: one scenario a number, against the unmodified SDK or a raw socket."""
