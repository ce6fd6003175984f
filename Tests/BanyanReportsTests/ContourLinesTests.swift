import BanyanFoundation
import BanyanReports
import Foundation
import Testing

@Suite struct ContourLinesTests {
  private struct Golden: Decodable {
    var x: [Double]
    var y: [Double]
    var levels: [Double]
    var smooth: [[Double]]
    var rough: [[Double]]
    var smoothLines: [[[[Double]]]]
    var roughLines: [[[[Double]]]]

    static func read() throws -> Golden {
      let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Goldens/figures/contours.json")
      return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }
  }

  /// The pieces of lines without direction, in one order.
  private func pieces(_ lines: [[(Double, Double)]]) -> [[Double]] {
    func rounded(_ point: (Double, Double)) -> [Double] { [point.0, point.1].map { ($0 * 1e9).rounded() / 1e9 + 0 } }
    return lines.flatMap { line in
      zip(line, line.dropFirst()).map { a, b in
        let (first, second) = (rounded(a), rounded(b))
        return first.lexicographicallyPrecedes(second) ? first + second : second + first
      }
    }.sorted { $0.lexicographicallyPrecedes($1) }
  }

  @Test(arguments: [true, false])
  func `lines are those of contourpy`(_ isSmooth: Bool) throws {
    let golden = try Golden.read()
    let values = isSmooth ? golden.smooth : golden.rough
    let contours = ContourLines(values, x: golden.x, y: golden.y)
    for (level, theirs) in zip(golden.levels, isSmooth ? golden.smoothLines : golden.roughLines) {
      let lines = contours.lines(at: level)
      let expected = theirs.map { $0.map { ($0[0], $0[1]) } }
      #expect(pieces(lines.map { $0.map { ($0.x, $0.y) } }) == pieces(expected), "level \(level)")
      #expect(lines.count == theirs.count, "level \(level)")
      #expect(lines.count { $0.first == $0.last } == expected.count { $0.first! == $0.last! }, "rings at \(level)")
    }
    #expect(!isSmooth || golden.smoothLines.allSatisfy { !$0.isEmpty })
  }

  @Test func `a plane has straight lines, nothing has none, and what is not finite is left out`() {
    let axis = [0.0, 1, 2, 3]
    let plane = axis.map { y in axis.map { x in x + 2 * y } }
    let lines = ContourLines(plane, x: axis, y: axis).lines(at: 3.5)
    #expect(lines.count == 1)
    for point in lines.joined() { #expect(abs(point.x + 2 * point.y - 3.5) < 1e-12) }
    #expect(ContourLines(plane, x: axis, y: axis).lines(at: 99).isEmpty)
    #expect(ContourLines([], x: [], y: []).lines(at: 0).isEmpty)
    var holed = plane
    holed[1][1] = .nan
    let left = ContourLines(holed, x: axis, y: axis).lines(at: 3.5)
    #expect(left.joined().count < lines.joined().count)
    #expect(left.joined().allSatisfy { $0.x.isFinite && $0.y.isFinite })
  }
}
