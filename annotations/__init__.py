"""People and data: projects, images, tags, reviews and decisions. Never imports `mlmodels`."""
