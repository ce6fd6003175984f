import BanyanFoundation
public import Foundation

/// The small CLIP that ships with Banyan, so that nothing need be fetched for a first run.
///
/// It was trained from random weights by `banyan pretrain` on pictures that `banyan world` draws; the README in its folder
/// gives the commands. It knows these pictures only: for photographs, name a published CLIP.
public enum EmbeddedCheckpoint {
  /// The word that stands for its folder in settings.
  public static let name = "embedded"

  /// Its folder, which ``Checkpoint`` opens like any other.
  ///
  /// - Throws: A `BanyanError` of kind `unavailable` where the program was moved without its resources.
  public static func folder() throws -> URL {
    try ResourceFolder.url(target: "BanyanCLIP", path: "embedded-clip")
  }

  /// The folder that `model` names: that of the embedded checkpoint for its ``name``, else the path itself.
  public static func resolve(_ model: String) throws -> URL {
    model == name ? try folder() : URL(fileURLWithPath: model)
  }
}
