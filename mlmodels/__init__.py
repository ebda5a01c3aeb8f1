"""The model's life: features, suggestions, training, judging. Uses annotations' selectors and services."""
