//! The recipes that come with the program: named, versioned and frozen. A change is a new version.

/// Every recipe with its file.
const RECIPES: [(&str, &str); 5] = [
    ("quickstart-1", include_str!("../recipes/quickstart-1.toml")),
    ("nano-1", include_str!("../recipes/nano-1.toml")),
    ("small-1", include_str!("../recipes/small-1.toml")),
    ("mini-1", include_str!("../recipes/mini-1.toml")),
    ("plan-1", include_str!("../recipes/plan-1.toml")),
];

/// The file of the recipe called `name`.
pub(crate) fn by_name(name: &str) -> Option<&'static str> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, file)| *file)
}

/// Names of all recipes.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(name, _)| *name)
}
