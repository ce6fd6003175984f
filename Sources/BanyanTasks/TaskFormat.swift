public import BanyanFoundation

/// How a source lays out its tasks.
public enum TaskFormat: String, NamedChoice {
  /// Finds the layout by looking; refuses where none or more than one fits.
  case auto
  /// `<root>/<task>/<class>/<image>`, or `<root>/<class>/<image>` for one task.
  case folders
  /// A table with the columns `path`, `label`, and optionally `task` and `split`.
  case csv
  /// CoOp's split files: `{"train": [[path, label, class name], …], "val": …, "test": …}`.
  case coopJSON
  /// List files with one `path label` a line, as for MRN's Office-Home.
  case lists

  /// The four layouts, one a line, for messages.
  static let overview = """
    The layouts are: folders, <root>/<task>/<class>/<image> or <root>/<class>/<image> (jpg, jpeg, png, webp); \
    csv, a file with the columns path,label and optionally task,split; \
    coopJSON, a file {"train": [[path, label, class name], …], "val": …, "test": …} or a folder of them; \
    lists, a file with one "path label" a line or a folder of <task>_train.txt and <task>_test.txt
    """
}
