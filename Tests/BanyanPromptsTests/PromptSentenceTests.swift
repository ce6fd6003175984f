import BanyanCLIP
import BanyanPrompts
import BanyanTensor
import Testing

/// Prompts as texts.
@Suite struct PromptSentenceTests {
  @Test func vectorsStandAroundTheNameAsTheTowerPutsThem() throws {
    let tokens = ["<a>", "<b>", "<c>"]
    let vectors = try Tensor.zeros([3, 4])
    #expect(PromptSentence.vectors(vectors, .end).template(tokens) == "<a><b><c>{} .")
    #expect(PromptSentence.vectors(vectors, .middle).template(tokens) == "<a>{}<b><c> .")
    #expect(PromptSentence.vectors(vectors, .front).template(tokens) == "{}<a><b><c> .")
    #expect(PromptSentence.words("a sketch of a {}.").template([]) == "a sketch of a {}.")
  }
}
