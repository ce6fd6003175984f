/// What lies beside exported files, for those who find them.
enum ExportReadme {
  static let transformers = #"""
    # A CLIP with learned prompts

    Made by `banyan export`. The folder is a CLIP of Hugging Face's form; its vocabulary has more words, one for each learned vector.
    `tasks.json` names for every task its classes and the templates of its prompts. A task's classifier is CLIP's ensemble of
    templates: the mean of the unit text features, made unit again.

    ```python
    import json
    import torch
    from PIL import Image
    from transformers import AutoTokenizer, CLIPImageProcessor, CLIPModel

    folder, task, picture = ".", 0, "picture.jpg"
    model = CLIPModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    processor = CLIPImageProcessor.from_pretrained(folder)
    about = json.load(open(f"{folder}/tasks.json"))["tasks"][task]


    def unit(x):
        x = getattr(x, "pooler_output", x)
        return x / x.norm(dim=-1, keepdim=True)


    with torch.inference_mode():
        texts = []
        for template in about["templates"]:
            words = tokenizer([template.replace("{}", name) for name in about["classes"]], padding=True, return_tensors="pt")
            texts.append(unit(model.get_text_features(**words)))
        classifier = unit(torch.stack(texts).mean(0))
        pixels = processor(Image.open(picture).convert("RGB"), return_tensors="pt")
        image = unit(model.get_image_features(**pixels))
        logits = model.logit_scale.exp() * image @ classifier.T
    answers = dict(zip(about["classes"], logits.softmax(-1)[0].tolist()))
    ```

    With one template, `pipeline("zero-shot-image-classification", model=folder)` takes it as its `hypothesis_template` and gives the
    same, for new class names too.
    """# + "\n"
}
