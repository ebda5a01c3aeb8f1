"""Archives of pictures, staged one by one. Names in them are names only: nothing is written by them."""
