"""Other projects' expected results in our field names: one module for each way they write them."""
