import BanyanCLIP
import BanyanFoundation
import Foundation

/// The `README.md` of a pre-trained CLIP: what it is, how it was made, how good it is.
enum PretrainingReadme {
  static func text(_ record: PretrainingRecord, settings: PretrainingSettings, summary: String) -> String {
    let seconds = record.seconds.values.reduce(0, +)
    let phases = record.picturesPerSecond.sorted { $0.key < $1.key }.map {
      "\($0.key) \($0.value.formatted(.number.precision(.fractionLength(0)).grouping(.never))) pictures/s"
    }
    var lines = [
      "# A CLIP made by banyan", "",
      "Trained from random weights on captioned pictures; a Hugging Face folder that `transformers` opens with",
      "`CLIPModel.from_pretrained` and Banyan with `--model`.", "",
      "| | |", "|---|---|",
      "| shape | \(summary) |",
      "| weights | \(record.parameters) numbers, \(settings.precision.rawValue) |",
      "| vocabulary | \(record.vocabularySize) tokens |",
      "| pictures | \(record.data.trainingPictures) for training, \(record.data.heldOutPictures) held out |",
      "| captions | \(record.data.captions) distinct |",
      "| seed | \(settings.seed) |",
      "| time | \(Int(seconds)) s on \(record.threads) threads; \(phases.joined(separator: ", ")) |",
      "| made with | banyan \(record.banyan), \(record.engine), \(record.createdAt) |",
      "| model.safetensors | SHA-256 `\(record.modelSHA256)` |",
      "| listing of the data | SHA-256 `\(record.data.listingSHA256)` |",
    ]
    if let pixels = record.data.pixelsSHA256 { lines.append("| decoded pixels | SHA-256 `\(pixels)` |") }
    let command = record.command.isEmpty ? [] : ["", "Command:", "", "    " + ShellWord.line(record.command)]
    lines += command
    if let last = record.validations.last {
      func percent(_ share: Double) -> String {
        (share * 100).formatted(.number.precision(.fractionLength(1))) + " %"
      }
      let scores = last.retrieval
      lines += [
        "", "Held-out pictures (\(scores.pictures) pictures, \(scores.captions) captions):", "",
        "| | R@1 | R@5 |", "|---|---|---|",
        "| image to text | \(percent(scores.imageToText1)) | \(percent(scores.imageToText5)) |",
        "| text to image | \(percent(scores.textToImage1)) | \(percent(scores.textToImage5)) |",
      ]
      if let zeroShot = last.zeroShot, let classes = last.zeroShotClasses {
        let attribute = settings.validation.attribute
        lines += ["", "Zero-shot accuracy on \(classes) values of `\(attribute)`: \(percent(zeroShot))."]
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
