"""Generated queries of tables in which every value tells the column that it is of."""
