"""Goldens of the tokenizer: what `transformers.CLIPTokenizer` gives for some five thousand strings.

    python Tools/goldens/tokenizer.py [VOCABULARY]

writes to Tests/Goldens/tokenizer/:

- small/: a vocabulary made by vocabulary.py (vocab.json, merges.txt, tokenizer_config.json);
- small-json/tokenizer.json: the same as `transformers` saves it;
- strings.json: the strings;
- small.json: `ids`, a list for each string without start and end, and `decoded`, the text of the first ones;
- clip.json: `ids` under the published vocabulary (vocab.json, merges.txt), which is not copied. It lies in the folder
  VOCABULARY, else in that of the variable BANYAN_CLIP_VOCABULARY, else in ../shared/data/clip-bpe beside the checkout;
  where there is none, clip.json stays as it is.

The strings are drawn with one seed: equal versions of the tools give equal bytes.
"""

import json
import logging
import os
import pathlib
import random
import shutil
import sys
import tempfile

import vocabulary

SEED = 20240
MERGES = 400
DECODED = 1200
CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
ROOT = CHECKOUT / "Tests" / "Goldens" / "tokenizer"

CLASSES = """airplane aquarium_fish baby bear beaver bicycle bottle bowl bridge bus butterfly camel can castle
caterpillar chair chimpanzee clock cockroach couch crocodile cup dinosaur dolphin elephant flatfish forest girl hamster
house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster maple_tree motorcycle mountain mushroom oak_tree
orchid otter palm_tree pear pickup_truck pine_tree plate poppy porcupine possum rabbit raccoon ray rocket rose sea seal
shark shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper tank telephone television
tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf worm""".split()
TEMPLATES = ["a photo of a {}.", "a {} in a video game.", "art of the {}", "{}", "A {}!", "the origami {}", "{}s & {}s"]
SCRIPTS = {
    "latin": (0xC0, 0x24F), "greek": (0x370, 0x3FF), "cyrillic": (0x400, 0x4FF), "armenian": (0x531, 0x587),
    "hebrew": (0x591, 0x5F4), "arabic": (0x600, 0x6FF), "devanagari": (0x900, 0x97F), "bengali": (0x980, 0x9FE),
    "tamil": (0xB82, 0xBFA), "thai": (0xE01, 0xE5B), "tibetan": (0xF00, 0xFDA), "georgian": (0x10A0, 0x10FF),
    "jamo": (0x1100, 0x11FF), "ethiopic": (0x1200, 0x137C), "cherokee": (0x13A0, 0x13FD), "khmer": (0x1780, 0x17F9),
    "vietnamese": (0x1E00, 0x1EFF), "polytonic": (0x1F00, 0x1FFE), "punctuation": (0x2000, 0x206F),
    "letterlike": (0x2100, 0x218B), "arrows": (0x2190, 0x23FF), "kana": (0x3041, 0x30FF), "han": (0x4E00, 0x9FFF),
    "hangul": (0xAC00, 0xD7A3), "compatibility": (0xF900, 0xFAFF), "halfwidth": (0xFF01, 0xFFEE),
    "gothic": (0x10330, 0x1034A), "deseret": (0x10400, 0x1044F), "kaithi": (0x11080, 0x110C1),
    "adlam": (0x1E900, 0x1E959), "mathematical": (0x1D400, 0x1D7FF), "music": (0x1D150, 0x1D1E8),
    "han-b": (0x20000, 0x20100), "han-compatibility": (0x2F800, 0x2FA1D), "private": (0xE000, 0xE010),
    "unassigned": (0x1FC00, 0x1FC10),
}
ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030c\u0323\u0327\u0328\u0338\u0344\u0345\u0f71\u3099"
EMOJI = ["😀", "👍", "👩", "👨", "👧", "🏽", "🏿", "❤", "\ufe0f", "\u200d", "🇩", "🇪", "🐶", "🎸", "🏳", "🌈", "☂",
         "1\ufe0f\u20e3"]
ENTITIES = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#x1F600;", "&nbsp;", "&eacute;", "&amp;amp;", "&notit;", "&"]
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'lL", "'D", "’s", "'x",
                "''"]
SPACES = [" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\x85", "\xa0", "\u1680", "\u180e", "\u2003", "\u2028",
          "\u2029", "\u200b", "\u202f", "\u205f", "\u3000", "\ufeff"]
SPECIALS = ["<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>", "<|EndOfText|>", "<|startoftext|", "|>", "<|",
            "</w>"]
SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~§°¿×÷…—“”„€£"
# Where the Unicode tables of the parts differ: lower case of 16 and 17, letters of 17, marks and composites after 9.
YOUNG = ["\ua7cb", "\ua7ce", "\ua7d2", "\u088f", "\u0c5c", "\u1c89", "\U00010ea0", "\U00016ea0", "\u0898", "\u1acf",
         "\U000105c9", "\U000105d2", "\u0307", "\U00011938", "\U00011935", "\U00011930", "\u1df6", "\u0334",
         "\U0001fae9"]


def lists(generator: random.Random) -> list[str]:
    pick, choice = generator.randrange, generator.choice
    sentences = vocabulary.CORPUS.splitlines()
    words = sorted({word for sentence in sentences for word in sentence.split()})
    found = ["", " ", "\x00", "a\x00b", "ΑΣ ΣΑΣ Σ", "İstanbul ıI ſ K Å", "'ſ", "Ǆ ǅ", "ẞ ß", "ﬁ ﬀ"]
    found += sentences + CLASSES + [name.replace("_", " ") for name in CLASSES]
    found += [chr(code) for code in range(128)] + ["a" + chr(code) + "b" for code in range(128)]
    found += ["a" + space + "b" + space for space in SPACES] + EMOJI + ENTITIES + SPECIALS
    for _ in range(500):
        found.append(choice(TEMPLATES).replace("{}", choice(CLASSES).replace("_", " ")))
    for _ in range(500):
        text = " ".join(choice(words) for _ in range(pick(1, 6)))
        found.append(choice([text, text, text.upper(), text.title(), text.swapcase()]))
    for first, last in SCRIPTS.values():
        for _ in range(26):
            found.append("".join(choice([chr(pick(first, last + 1))] * 7 + [" "]) for _ in range(pick(1, 7))))
    for _ in range(350):
        found.append("".join(choice("aeinouAEO<=") + choice(ACCENTS) * pick(1, 3) for _ in range(pick(1, 4))))
    jamo = "a\u1100\u1112\u1113\u1161\u1175\u1176\u11a7\u11a8\u11c2각가힣"
    for _ in range(200):
        found.append("".join(choice(jamo) for _ in range(pick(2, 6))))

    def mix(parts: list[str], times: int, longest: int) -> None:
        for _ in range(times):
            found.append("".join(choice(parts) for _ in range(pick(1, longest))))

    mix(EMOJI, 250, 6)
    mix(ENTITIES + ["a", " ", "dog"], 200, 4)
    mix(CONTRACTIONS + ["it", "I", " ", "DON", "we"], 400, 6)
    mix(SPACES + ["a", "photo", "."], 250, 5)
    mix(SPECIALS + ["a", " ", "'s", "!", "\u0338", "9"], 250, 5)
    mix(list("0123456789") + ["., "[i] for i in range(3)] + ["½", "٣", "Ⅷ", "２", "a"], 250, 7)
    mix(list(SIGNS) + ["a"], 300, 7)
    mix(YOUNG + ["a", "A", "\u0301", " "], 250, 5)
    mix([chr(code) for code in range(32)] + ["\x7f", "\x80", "\x9f", "\xad", "a"], 150, 5)
    mix(["\U00020041", "\U00020055", "\u0344", "\u0301", "\u0323", "\u0f73", "\u0f81", "\u0fa4", "\u05ab", "a"], 120, 5)
    while len(found) < 5300:
        code = pick(0x110000)
        if not 0xD800 <= code < 0xE000:
            found.append(choice(["{}", "a{}b", "{}{}"]).replace("{}", chr(code)))
    found.append(" ".join(choice(words) for _ in range(400)))
    found.append("".join(choice("abcdefghijklmnopqrstuvwxyz") for _ in range(1500)))
    found.append("!" * 700 + "1" * 90)
    return found


def save(path: pathlib.Path, value) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    if len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 64
    from transformers import CLIPTokenizer

    logging.getLogger("transformers").setLevel(logging.ERROR)
    strings = lists(random.Random(SEED))
    vocabulary.write(ROOT / "small", *vocabulary.train(vocabulary.CORPUS, MERGES))
    save(ROOT / "strings.json", strings)

    small = CLIPTokenizer.from_pretrained(ROOT / "small")
    ids = [small(text, add_special_tokens=False)["input_ids"] for text in strings]
    decoded = [small.decode(row, skip_special_tokens=True) for row in ids[:DECODED]]
    save(ROOT / "small.json", {"decoded": decoded, "ids": ids})
    small.save_pretrained(ROOT / "small-json")
    model = json.loads((ROOT / "small-json" / "tokenizer.json").read_text(encoding="utf-8"))
    save(ROOT / "small-json" / "tokenizer.json", model)
    (ROOT / "small-json" / "tokenizer_config.json").unlink()

    beside = CHECKOUT.parent / "shared" / "data" / "clip-bpe"
    source = pathlib.Path(arguments[0] if arguments else os.environ.get("BANYAN_CLIP_VOCABULARY", beside))
    if not arguments and not source.is_dir():
        print(f"{len(strings)} strings; clip.json stays, there is no published vocabulary here", file=sys.stderr)
        return 0
    # A copy, so that no other file of the folder changes what is loaded.
    with tempfile.TemporaryDirectory() as folder:
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(source / name, folder)
        published = CLIPTokenizer.from_pretrained(folder)
    save(ROOT / "clip.json", {"ids": [published(text, add_special_tokens=False)["input_ids"] for text in strings]})
    print(f"{len(strings)} strings, {len(small)} and {len(published)} tokens", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
