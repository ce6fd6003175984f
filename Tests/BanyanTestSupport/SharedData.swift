public import Foundation

/// Data beside the checkout that is never part of it: photographs and a small CLIP.
///
/// Tests that need it are skipped where it is absent: `@Test(.enabled(if: SharedData.isPresent, SharedData.reason))`.
public enum SharedData {
  /// `shared/data` in the checkout's parent folder.
  public static let folder = Golden.folder.deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/data")

  /// Whether the folder is there.
  public static var isPresent: Bool { FileManager.default.fileExists(atPath: folder.path) }

  /// Why a test is skipped without it.
  public static let reason = "needs shared/data beside the checkout"
}
