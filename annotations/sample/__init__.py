"""The sample project: scenes drawn by the app itself, with captions and the tags that are true of them.

Needs Pillow and numpy only. Nothing here knows about Django or the database.
"""

from annotations.sample.scenes import Scene, draw_scene, draw_scenes
from annotations.sample.vocabulary import VOCABULARY, SampleTag

__all__ = ["VOCABULARY", "SampleTag", "Scene", "draw_scene", "draw_scenes"]
