"""Reads event files with the tensorboard package and prints what it found as JSON: read_events.py FOLDER."""

import io
import json
import sys
from pathlib import Path

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2


def read(folder: Path) -> dict:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    images = {}
    for tag in tags["images"]:
        found = events.Images(tag)[0]
        picture = Image.open(io.BytesIO(found.encoded_image_string))
        picture.load()
        images[tag] = {"said": [found.width, found.height], "is": list(picture.size)}
    settings = {}
    for tag, content in events.PluginTagToContent("hparams").items():
        data = plugin_data_pb2.HParamsPluginData.FromString(content)
        settings[tag] = data.WhichOneof("data")
        if tag.endswith("session_start_info"):
            settings["values"] = {
                key: getattr(value, value.WhichOneof("kind")) for key, value in data.session_start_info.hparams.items()}
        if tag.endswith("experiment"):
            settings["metrics"] = [info.name.tag for info in data.experiment.metric_infos]
    return {
        "scalars": {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags["scalars"]},
        "images": images, "settings": settings,
    }


if __name__ == "__main__":
    root = Path(sys.argv[1])
    folders = sorted({path.parent for path in root.rglob("events.out.tfevents.*")})
    print(json.dumps({str(folder.relative_to(root)): read(folder) for folder in folders}, sort_keys=True))
