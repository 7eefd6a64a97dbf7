"""What every stage shares about files: shards, label images, atomic writes, provenance."""
