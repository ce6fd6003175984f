import BanyanFoundation
import Foundation

extension Checkpoint {
  /// The files that hold the weights of `folder`.
  static func weightFiles(in folder: URL) throws -> [URL] {
    func file(_ name: String) -> URL? {
      let url = folder.appendingPathComponent(name)
      return FileManager.default.fileExists(atPath: url.path) ? url : nil
    }
    for name in ["model.safetensors", "open_clip_model.safetensors"] {
      if let url = file(name) { return [url] }
    }
    for name in ["model.safetensors.index.json", "open_clip_model.safetensors.index.json"] {
      if let index = file(name) { return try shards(index, in: folder) }
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let single = names.filter { $0.hasSuffix(".safetensors") }.sorted()
    if single.count == 1 { return [folder.appendingPathComponent(single[0])] }
    if let pickle = names.filter({ $0.hasSuffix(".bin") || $0.hasSuffix(".pt") || $0.hasSuffix(".pth") }).sorted().first
    {
      throw refusal(ofPickle: folder.appendingPathComponent(pickle))
    }
    throw BanyanError(
      .missingInput, at: folder.path, "there is no model.safetensors",
      remedy: single.isEmpty
        ? "Copy the checkpoint's weights into the folder." : "Keep one of: \(single.joined(separator: ", ")).")
  }

  private static func shards(_ index: URL, in folder: URL) throws -> [URL] {
    struct Index: Decodable { var weight_map: [String: String] }
    let map = try JSONDocument.read(Index.self, from: index).weight_map
    return try Set(map.values).sorted().map { name in
      guard !name.contains("/"), name.hasSuffix(".safetensors") else {
        throw BanyanError(.malformed, at: index.path, "expected names of safetensors files, found \(name)")
      }
      let url = folder.appendingPathComponent(name)
      guard FileManager.default.fileExists(atPath: url.path) else {
        throw BanyanError(
          .missingInput, at: url.path, "the shard that \(index.lastPathComponent) names is absent",
          remedy: "Copy all shards of the checkpoint into the folder.")
      }
      return url
    }
  }

  /// A pickle runs code when it is read; it is refused with the command that turns it into safetensors.
  private static func refusal(ofPickle url: URL) -> BanyanError {
    let target = url.deletingLastPathComponent().appendingPathComponent("model.safetensors").path
    let script =
      "import torch, safetensors.torch as s; w = torch.load('\(url.path)', map_location='cpu', weights_only=True); "
      + "s.save_file({k: v.contiguous().clone() for k, v in w.items()}, '\(target)')"
    return BanyanError(
      .malformed, at: url.path, "Python pickles can run code when they are read and are not accepted",
      remedy: "Convert it once with: python3 -c \"\(script)\"")
  }
}
