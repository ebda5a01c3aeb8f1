"""Tables that name pictures: CSV, TSV, JSON, JSON Lines, Parquet, in any column names."""
