"""A small byte-level BPE vocabulary in CLIP's form, so that no test needs the published one.

    python Tools/goldens/vocabulary.py FOLDER [MERGES]

writes vocab.json, merges.txt and tokenizer_config.json, which `transformers.CLIPTokenizer` loads. Pure Python, no
random numbers: equal input gives equal bytes.
"""

import json
import pathlib
import re
import sys
from collections import Counter

END_OF_WORD = "</w>"
START = "<|startoftext|>"
END = "<|endoftext|>"
CONTEXT_LENGTH = 77

# The split of CLIP for plain text; only training uses it, so the standard library's classes are near enough.
WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+")


def byte_characters() -> list[str]:
    """The printable character of each byte, at the byte's index: itself where it is visible, else from U+0100 on."""
    characters = [""] * 256
    following = 256
    for byte in range(256):
        if 33 <= byte <= 126 or 161 <= byte <= 172 or 174 <= byte <= 255:
            characters[byte] = chr(byte)
        else:
            characters[byte] = chr(following)
            following += 1
    return characters


def train(corpus: str, merges: int) -> tuple[dict[str, int], list[str]]:
    """Learns `merges` merges from `corpus`: always the most frequent pair, among equals the smallest in code points.

    Returns the vocabulary (256 byte characters, the same with the end-of-word mark, one token a merge, start, end) and
    the merges as lines "left right". Raises ValueError where the corpus has too few pairs.
    """
    characters = byte_characters()
    counts = Counter()
    for word in WORD.findall(corpus.lower()):
        letters = [characters[byte] for byte in word.encode("utf-8")]
        letters[-1] += END_OF_WORD
        counts[tuple(letters)] += 1
    words = [list(word) for word in counts]
    weights = list(counts.values())

    lines = []
    made = set()
    while len(lines) < merges:
        pairs = Counter()
        for word, weight in zip(words, weights):
            for pair in zip(word, word[1:]):
                pairs[pair] += weight
        # Two pairs may spell the same token; a vocabulary holds it once.
        choices = [pair for pair in pairs if pair[0] + pair[1] not in made]
        if not choices:
            raise ValueError(f"the corpus has pairs for {len(lines)} merges, {merges} were asked for")
        left, right = min(choices, key=lambda pair: (-pairs[pair], pair))
        made.add(left + right)
        lines.append(f"{left} {right}")
        for word in words:
            at = 0
            while at + 1 < len(word):
                if word[at] == left and word[at + 1] == right:
                    word[at : at + 2] = [left + right]
                at += 1

    # The order of the published vocabulary: visible bytes first, then the others.
    visible = sorted(characters)
    tokens = visible + [character + END_OF_WORD for character in visible]
    tokens += [line.replace(" ", "") for line in lines] + [START, END]
    return {token: index for index, token in enumerate(tokens)}, lines


def write(folder, vocab: dict[str, int], merges: list[str]) -> None:
    """Writes the three files of a Hugging Face tokenizer folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "vocab.json", "w", encoding="utf-8", newline="\n") as file:
        json.dump(vocab, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")
    with open(folder / "merges.txt", "w", encoding="utf-8", newline="\n") as file:
        file.write("#version: 0.2\n")
        file.writelines(line + "\n" for line in merges)
    configuration = {
        "bos_token": START,
        "eos_token": END,
        "model_max_length": CONTEXT_LENGTH,
        "pad_token": END,
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": END,
    }
    with open(folder / "tokenizer_config.json", "w", encoding="utf-8", newline="\n") as file:
        json.dump(configuration, file, indent=2, sort_keys=True)
        file.write("\n")


CORPUS = """\
a photo of a dog.
a photo of a cat.
a photo of a horse.
a photo of an elephant.
a photo of a giraffe.
a photo of a guitar.
a photo of a house.
a photo of a person.
a picture of a small brown dog.
a picture of a large black cat.
a picture of a white horse in a green field.
a picture of two elephants drinking water.
a picture of three giraffes near a tall tree.
a drawing of a guitar on a wooden chair.
a drawing of a house with a red roof.
a drawing of a person with a yellow hat.
a sketch of a dog running after a ball.
a sketch of a cat asleep on a sofa.
a sketch of a horse and its rider.
a sketch of an elephant with big ears.
a painting of a giraffe at sunset.
a painting of a guitar and a bowl of fruit.
a painting of an old house by the sea.
a painting of a person reading a letter.
a cartoon of a dog that wears glasses.
a cartoon of a cat that chases a mouse.
a cartoon of a horse jumping over a fence.
a cartoon of an elephant on a tiny bicycle.
the digit zero.
the digit one.
the digit two.
the digit three.
the digit four.
the digit five.
the digit six.
the digit seven.
the digit eight.
the digit nine.
a handwritten digit 0 on white paper.
a handwritten digit 1 on white paper.
a handwritten digit 2 on white paper.
a handwritten digit 3 on white paper.
a handwritten digit 4 on white paper.
a handwritten digit 5 on white paper.
a handwritten digit 6 on white paper.
a handwritten digit 7 on white paper.
a handwritten digit 8 on white paper.
a handwritten digit 9 on white paper.
a photo of the number 10 on a door.
a photo of the number 25 on a blue shirt.
a photo of the number 100 painted in gold.
the year 1998 is written above the window.
the sign says 42 miles to the next town.
a hand that shows the sign for one.
a hand that shows the sign for five.
a character of the greek alphabet.
a character of the korean alphabet.
a character of the latin alphabet.
a character of the japanese alphabet.
a character of the sanskrit alphabet.
a red circle.
a green square.
a blue triangle.
a yellow star.
a purple hexagon.
an orange cross.
a black ring.
a white diamond.
a grey stripe on a pink background.
a small red square above a large blue circle.
a large green triangle left of a small yellow star.
two purple circles inside an orange square.
three black stripes across a white page.
a dark shape on a bright background.
a bright shape on a dark background.
a blurry photo of a bird.
a close photo of a flower.
a cropped photo of a car.
a good photo of a train.
a bad photo of a bus.
a black and white photo of a bridge.
a low resolution photo of a boat.
a photo of the nice small lamp.
a photo of the strange large clock.
a photo of my old bicycle.
a photo of one apple and two pears.
an image of the sky at night.
an image of clouds over the mountains.
an image of a river in the forest.
an image of snow on the road.
an origami bird made of paper.
a plastic toy of a lion.
a sculpture of a tiger.
a tattoo of a snake.
an embroidered butterfly.
a rendering of a robot.
a bird sits on the branch of a tree.
a parrot with red and green feathers.
an owl looks into the camera.
a duck swims across the pond.
a penguin stands on the ice.
a swan with its young ones.
the eagle flies above the valley.
a chicken walks through the yard.
a rabbit hides in the long grass.
a fox with a bushy tail.
a wolf howls at the moon.
a bear catches a fish in the stream.
a deer drinks at the edge of the lake.
a monkey holds a banana.
a zebra with black and white stripes.
a lion sleeps in the shade.
a tiger walks through the jungle.
a leopard in a tree.
a camel crosses the desert.
a sheep and a goat behind a gate.
a pig rolls in the mud.
a cow eats grass on a hill.
a donkey carries two baskets.
a mouse nibbles at the cheese.
a squirrel with a nut.
a hedgehog under the leaves.
a frog on a lily pad.
a turtle on the beach.
a snake in the sand.
a lizard on a warm stone.
a crocodile with an open mouth.
a shark under the water.
a whale next to a ship.
a dolphin jumps out of the waves.
a crab walks sideways.
a spider in its web.
a bee on a sunflower.
a butterfly with blue wings.
an ant carries a leaf.
a snail on a wet wall.
a wooden table with four chairs.
a lamp beside the bed.
a clock on the kitchen wall.
a cup of coffee and a piece of cake.
a plate with rice, beans and fish.
a bowl of soup with bread.
a bottle of milk and a glass of water.
a knife, a fork and a spoon.
a basket full of apples, grapes and oranges.
a slice of pizza on a paper plate.
a loaf of bread on a board.
a jar of honey.
a pair of shoes by the door.
a coat, a scarf and a pair of gloves.
an umbrella in the rain.
a hat with a feather.
a ring with a green stone.
a watch with a leather strap.
a pair of scissors and some string.
a hammer, nails and a saw.
a ladder against the wall.
a bucket of paint and a brush.
a pencil, a ruler and a notebook.
a stack of books on the floor.
a letter with a stamp.
a map of the island.
a computer with a keyboard and a mouse.
a phone on the desk.
a camera on a tripod.
a television in the corner.
a violin in its case.
a piano in an empty hall.
a drum and a trumpet.
a child plays the flute.
a woman plays the guitar in the street.
a man repairs a bicycle.
a girl throws a ball to her brother.
a boy flies a kite on the beach.
people wait for the bus.
people dance at a wedding.
a farmer drives a tractor.
a doctor speaks with a patient.
a teacher writes on the board.
a cook cuts vegetables.
a painter stands before an easel.
a sailor ties a rope.
a red car in front of a garage.
a yellow taxi in heavy traffic.
a truck on the motorway.
a train enters the station.
an aeroplane above the clouds.
a helicopter lands on a roof.
a boat with a white sail.
a ship in the harbour.
a motorcycle next to a fence.
a bridge across the river.
a castle on a hill.
a church with a tall tower.
a market in a narrow street.
a garden with roses and tulips.
a field of wheat in summer.
a forest in autumn with golden leaves.
a lake between mountains in winter.
a waterfall in the jungle.
a beach with palm trees.
a desert under a clear sky.
it's a photo, isn't it?
they're looking at what we've drawn.
i'm sure she'll like it; he'd rather wait.
don't touch: the paint's still wet!
"""


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        print("usage: vocabulary.py FOLDER [MERGES]", file=sys.stderr)
        return 64
    vocab, merges = train(CORPUS, int(arguments[1]) if len(arguments) == 2 else 512)
    write(arguments[0], vocab, merges)
    print(f"{len(vocab)} tokens, {len(merges)} merges", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
