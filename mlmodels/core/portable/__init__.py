"""A head with its backbone as one file that runs without Tagger, torch or Python. Which version, others decide."""
