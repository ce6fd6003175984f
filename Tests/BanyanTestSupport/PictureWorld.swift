import BanyanCLIP
import BanyanFoundation
public import BanyanWorlds
public import Foundation

/// A folder of small drawn pictures, laid out as `<task>/<class>/<number>.png`.
///
/// A task is a style and a class is an object of `banyan world`. Names that are no style or object stand for one by their
/// place, so that a test may call its tasks and classes what it likes. Equal seeds give equal bytes.
public struct PictureWorld: Sendable {
  /// The folder that holds the tasks.
  public let root: URL
  /// The tasks' names, in the order of their folders.
  public let tasks: [String]
  /// The classes' names, in the order of their folders.
  public let classes: [String]
  /// How many pictures a class has.
  public let perClass: Int

  /// What unknown names of tasks stand for.
  private static let styles: [Style] = [.chalk, .ink, .watercolour, .blueprint]
  /// What unknown names of classes stand for; even a glance tells them apart.
  private static let objects: [ObjectClass] = [.fish, .key, .mug, .house]

  /// Writes the pictures below `root`.
  public init(
    at root: URL, tasks: [String] = ["chalk", "ink", "watercolour"], classes: [String] = ["fish", "key", "mug"],
    perClass: Int = 14, side: Int = 64, seed: UInt64 = 1
  ) throws {
    self.root = root
    self.tasks = tasks
    self.classes = classes
    self.perClass = perClass
    for (taskIndex, task) in tasks.enumerated() {
      let style = Style(rawValue: task) ?? Self.styles[taskIndex % Self.styles.count]
      for (classIndex, name) in classes.enumerated() {
        let object = ObjectClass(rawValue: name) ?? Self.objects[classIndex % Self.objects.count]
        let folder = root.appendingPathComponent(task).appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for number in 0..<perClass {
          let picture = try Self.png(of: object, style: style, number: number, side: side, seed: seed)
          try picture.write(to: folder.appendingPathComponent("\(100 + number).png"))
        }
      }
    }
  }

  /// The place of a picture.
  public func picture(_ task: Int, _ label: Int, _ number: Int) -> URL {
    root.appendingPathComponent("\(tasks[task])/\(classes[label])/\(100 + number).png")
  }

  /// The bytes of one picture as a PNG.
  public static func png(
    of object: ObjectClass, style: Style, number: Int, side: Int = 64, seed: UInt64 = 1
  ) throws -> Data {
    let label = "\(style.rawValue) \(object.rawValue) \(number)"
    let drawn = WorldPainter(side: side).picture(of: object, style: style, seed: seed, label: label)
    return try ImageEncoder.png(PixelImage(width: drawn.side, height: drawn.side, pixels: drawn.pixels))
  }
}
