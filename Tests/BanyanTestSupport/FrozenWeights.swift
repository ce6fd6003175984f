import BanyanCLIP
public import BanyanTensor
public import BanyanTraining

extension Workbench {
  /// All weights of the checkpoint, which no training may touch.
  public var frozenWeights: ParameterTree { model.parameters }
}
