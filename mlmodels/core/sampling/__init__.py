"""Which images to ask about next: strategies that want some images more than others, and their mixture."""
