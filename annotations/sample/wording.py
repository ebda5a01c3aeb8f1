"""The words that captions are made of: other names for things, places, hours, and what is missing."""

WORDS: dict[str, tuple[str, ...]] = {
    "person": ("person", "woman", "man", "neighbour", "walker"),
    "child": ("child", "kid", "little girl", "boy"),
    "dog": ("dog", "dog", "puppy", "hound"),
    "cat": ("cat", "cat", "kitten", "tomcat"),
    "bird": ("bird", "bird", "songbird"),
    "duck": ("duck", "duck", "mallard"),
    "car": ("car", "car", "automobile", "hatchback"),
    "van": ("van", "minibus", "camper van"),
    "sailboat": ("sailboat", "sailing boat", "yacht", "boat"),
    "ship": ("ship", "steamer", "boat", "ferry"),
    "rowing boat": ("rowing boat", "rowboat", "dinghy"),
    "hot-air balloon": ("hot-air balloon", "balloon"),
    "house": ("house", "cottage", "home"),
    "tree": ("tree", "tree", "old tree"),
    "palm": ("palm tree", "palm"),
    "mountain": ("mountain", "peak", "summit"),
    "daisy": ("daisy", "flower", "wildflower"),
    "tulip": ("tulip", "flower", "blossom"),
    "poppy": ("poppy", "flower", "wildflower"),
    "sunflower": ("sunflower",),
    "umbrella": ("umbrella",),
    "parasol": ("parasol", "beach umbrella", "sunshade"),
    "moon": ("moon",),
    "sun": ("sun",),
    "cloud": ("cloud",),
    "fish": ("fish",),
    "balloon": ("balloon",),
}


TAG_OF = {
    "child": "person",
    "duck": "bird",
    "van": "car",
    "sailboat": "boat",
    "ship": "boat",
    "rowing boat": "boat",
    "hot-air balloon": "balloon",
    "palm": "tree",
    "daisy": "flower",
    "tulip": "flower",
    "poppy": "flower",
    "sunflower": "flower",
    "parasol": "umbrella",
    "under water": "water",
    "lake": "water",
    "sea": "water",
    "river": "water",
    "snowfall": "snow",
}


HEROES = (
    "person",
    "child",
    "dog",
    "cat",
    "hot-air balloon",
    "sailboat",
    "ship",
    "rowing boat",
    "car",
    "van",
    "fish",
    "duck",
    "bird",
    "snowman",
    "parasol",
    "kite",
    "bicycle",
    "lighthouse",
)


EXTRAS = (
    "tree",
    "palm",
    "mountain",
    "house",
    "fence",
    "daisy",
    "tulip",
    "poppy",
    "sunflower",
    "moon",
    "sun",
    "cloud",
    "ball",
    "street lamp",
    "balloon",
    "star",
    "umbrella",
)


PLACES: dict[str, tuple[str, ...]] = {
    "meadow": ("in the meadow", "out in the fields", "on the grass", "in the hills"),
    "lake": ("by the lake", "at the lake", "on the lake shore"),
    "winter": ("in the snow", "out in the cold", "in the winter fields"),
    "sky": ("over the valley", "above the hills", "high up", "in the open sky"),
    "garden": ("in the garden", "in our garden", "in the back garden"),
    "road": ("on a country road", "along the road", "on the way home"),
    "underwater": ("under water", "down below", "in the reef"),
    "window": ("at the window", "outside our window", "seen from the kitchen"),
    "beach": ("on the beach", "by the sea", "on the sand", "at the seaside"),
    "harbour": ("out at sea", "on the coast", "by the ocean"),
    "village": ("in our street", "in the village", "around the corner"),
    "city": ("in the city", "downtown", "below the skyscrapers", "in town"),
}


HOURS = {
    "day": ("this afternoon", "today", "around noon", "on a quiet day", ""),
    "morning": ("early in the morning", "this morning", "before breakfast"),
    "dusk": ("in the evening", "at dusk", "as it gets dark", "at nightfall"),
    "night": ("at night", "after dark", "late at night", "past midnight"),
}


WEATHERS = {
    "rain": ("in the rain", "in the drizzle", "while it pours", "on a rainy day"),
    "snowfall": ("while it snows", "in falling snow", "in a snow shower"),
}


ABSENT: dict[str, tuple[str, ...]] = {  # said only where the tag is not true
    "boat": ("no boat on the water today", "not a single boat in sight", "without any boats"),
    "person": ("nobody around", "no people anywhere", "without a person in sight"),
    "sun": ("no sun today", "the sun never came out", "without any sun"),
    "cloud": ("not a cloud in the sky", "no clouds at all", "without a single cloud"),
    "car": ("no cars for once", "without a car in sight", "not one car passing"),
    "bird": ("no birds today", "not a bird to be seen"),
    "dog": ("but no dog this time", "the dog is not with us"),
    "cat": ("the cat is nowhere to be seen", "no cat in the picture"),
    "tree": ("not a tree for miles", "without a single tree"),
    "snow": ("no snow yet", "still without snow"),
    "rain": ("no rain for once", "it did not rain after all"),
    "moon": ("no moon tonight", "the moon is not up yet"),
    "flower": ("no flowers yet", "without a single flower"),
    "fish": ("no fish today",),
}


LIKELY_ABSENT = {
    "lake": ("boat", "bird", "person", "cloud", "fish"),
    "harbour": ("boat", "bird", "cloud", "person"),
    "beach": ("person", "cloud", "sun", "boat"),
    "meadow": ("person", "dog", "cloud", "flower", "rain", "tree"),
    "winter": ("person", "sun", "bird", "car", "flower"),
    "sky": ("cloud", "bird", "rain", "person"),
    "garden": ("cat", "dog", "person", "rain"),
    "road": ("car", "person", "cloud", "tree"),
    "underwater": ("boat", "person"),
    "window": ("cat", "sun", "snow", "rain", "person"),
    "village": ("car", "person", "dog", "snow"),
    "city": ("person", "car", "sun", "rain", "tree"),
}


NUMBERS = {1: "a", 2: "two", 3: "three", 4: "four", 5: "five"}
