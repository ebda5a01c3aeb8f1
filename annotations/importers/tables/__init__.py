"""Tables that name pictures: CSV, TSV, JSON Lines, Parquet, in any column names."""
