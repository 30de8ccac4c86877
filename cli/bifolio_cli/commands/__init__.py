"""One module per verb. A verb reads its arguments, makes one call and prints what came of it."""
