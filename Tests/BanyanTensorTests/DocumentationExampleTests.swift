import BanyanTensor
import Testing

@Suite("Examples of the documentation")
struct DocumentationExampleTests {
  @Test("the example of Tensor compiles and gives 14")
  func tensorExample() throws {
    let x = try Tensor([1.0, 2, 3], shape: [3])
    let y = try (x * x).sum()
    #expect(try y.item() == 14)
  }
}
