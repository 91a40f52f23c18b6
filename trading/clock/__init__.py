"""The readers of the time: the wall's, and the simulated exchange's. Nothing else asks what time it is."""
