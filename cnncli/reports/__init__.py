"""What people look at: tables, grids, lines of progress. They show what they are given and compute nothing of it."""
