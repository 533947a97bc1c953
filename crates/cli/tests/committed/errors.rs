//! The messages of mistakes that people make, one after the other in `errors.txt`, to be read as they read them.

use crate::{assert_committed, scalelaw};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Command lines, each wrong in one way; they run in a folder with the files of [`files`].
const MISTAKES: &[&str] = &[
    // The command line itself.
    "fitt runs.csv",
    "fit",
    "fit chinchilla runs.csv --objectiv lad",
    "fit chinchilla runs.csv --objective hubber",
    "fit chinchilla runs.csv --bootstrap many",
    "plan",
    "plan --law chinchilla2022",
    "plan --law chinchilla2022 --compute lots",
    "sweep",
    "corpus build --out corpus",
    "quickstart --budget soon",
    "completions tcsh",
    // Tables.
    "fit missing.csv",
    "fit folder",
    "fit swept",
    "fit trained",
    "runs import folder",
    "fit empty.csv",
    "fit header.csv",
    "fit chinchilla other-columns.csv",
    "fit chinchilla words.csv",
    "fit chinchilla negative.csv",
    "fit chinchilla few.csv",
    "fit chinchilla ragged.csv",
    "fit chinchilla broken.parquet",
    "fit chinchilla broken.csv.gz",
    "fit chinchilla broken.jsonl",
    "fit chinchilla runs.csv --map N=parameters",
    "fit chinchilla runs.csv --map N",
    "fit chinchilla runs.csv --where 'N >'",
    "fit chinchilla runs.csv --where 'M > 3'",
    "fit chinchilla runs.csv --where 'N > 1e99'",
    // Laws.
    "fit chinchila runs.csv",
    "fit 'E + A/N^' runs.csv",
    "fit chinchilla",
    "fit chinchilla runs.csv --fix gamma=1",
    "fit chinchilla runs.csv --fix alpha=-3",
    "fit chinchilla runs.csv --delta=-1 --objective huber",
    "fit chinchilla runs.csv --valley gamma",
    "predict runs.csv --at N=1e9,D=1e10",
    "predict law.json --at N=1e9",
    "predict missing.csv",
    "isoflop few.csv",
    "envelope runs.csv",
    "chain runs.csv",
    "explain few.csv",
    "reproduce hofmann2022",
    // Decisions.
    "plan --law chinchila2022 --compute 1e21",
    "plan --law missing.json --compute 1e21",
    "plan --law broken.json --compute 1e21",
    "plan --law other.json --compute 1e21",
    "plan --law chinchilla2022 --loss 0.1",
    "compare runs.csv missing.csv --compute 1e21",
    "suggest --law missing.json --budget 1e18 --target 1e21",
    "score missing.json --loss 2",
    // Experiments and runs.
    "sweep plan missing.toml",
    "sweep plan syntax.toml",
    "sweep plan unknown-key.toml",
    "sweep plan unknown-table.toml",
    "sweep plan unknown-data.toml",
    "sweep plan own-trainer.toml",
    "sweep plan no-recipe.toml",
    "sweep plan shape.toml",
    "sweep plan formula.toml",
    "sweep plan missing-text.toml",
    "sweep status nothing",
    "worker nothing",
    "train missing.toml --data corpus",
    "train syntax.toml --data corpus",
    "train unknown-key.toml --data corpus",
    "runs list nothing",
    "runs import empty.csv",
    "paper --runs nothing",
    // Text and tokens.
    "corpus build missing.txt --out corpus",
    "corpus build --config corpus.toml --out corpus",
    "corpus stats folder",
    "corpus subset folder --halvings x --out subsets",
    "corpus fetch missing.txt --out pages",
    "tokenizer train folder --vocab 512 --out tokenizer.json",
    "tokenizer encode --tokenizer gpt3",
    "tokenizer encode --tokenizer other.json",
    "quickstart --text missing",
];

/// The files that the mistakes are about.
fn files(dir: &Path) {
    let experiment = |set: &str| {
        format!(
            "question = \"?\"\nrecipe = \"nano-1\"\n\n[data]\nsynthetic = 0\nmax_train_tokens = \"1M\"\ntest_tokens = 8192\n\n[[set]]\nname = \"A\"\n{set}\n"
        )
    };
    let mut runs = String::from("N,D,loss\n");
    for (i, j) in (0..5).flat_map(|i| (0..5).map(move |j| (i, j))) {
        let (n, d) = (1e7 * 4f64.powi(i), 1e9 * 4f64.powi(j));
        let loss = 1.8172 + 482.01 / n.powf(0.3478) + 2085.43 / d.powf(0.3658);
        let _ = writeln!(runs, "{n},{d},{loss:.4}");
    }
    let few: String = runs.split_inclusive('\n').take(3).collect();
    for folder in ["folder", "swept/tables", "trained/runs"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    for (name, text) in [
        ("runs.csv", runs.as_str()),
        ("swept/tables/runs.csv", &runs),
        ("few.csv", &few),
        ("empty.csv", ""),
        ("header.csv", "N,D,loss\n"),
        ("other-columns.csv", "width,depth,accuracy\n64,2,0.5\n128,2,0.6\n"),
        ("words.csv", "N,D,loss\n1e6,1e8,3.1\n2e6,1e8,high\n"),
        ("negative.csv", "N,D,loss\n1e6,1e8,3.1\n-2e6,1e8,3.0\n"),
        ("ragged.csv", "N,D,loss\n1e6,1e8,3.1\n2e6,1e8\n"),
        ("broken.parquet", "this is no parquet file"),
        ("broken.csv.gz", "this is no gzip file"),
        ("broken.jsonl", "{\"N\": 1e6, \"D\": 1e8, \"loss\": 3.1}\n{\"N\": 1e6,\n"),
        ("broken.json", "{\"law\": \"chinchilla\","),
        ("other.json", "{\"name\": \"something else\"}"),
        ("syntax.toml", "question = \"?\"\nrecipe = nano-1\n"),
        ("unknown-key.toml", &experiment("n_layers = 2")),
        ("unknown-table.toml", "question = \"?\"\nrecipe = \"nano-1\"\n\n[grid]\nn_layer = [1, 2]\n"),
        ("unknown-data.toml", "question = \"?\"\nrecipe = \"nano-1\"\n\n[data]\ntokens = 1000\n"),
        (
            "own-trainer.toml",
            "question = \"?\"\nrecipe = \"nano-1\"\n\n[trainer]\nname = \"mine-1\"\ncommand = \"true\"\n\n\
             [data]\ntrain_tokens = \"1M\"\n\n[[set]]\nname = \"A\"\nn_layer = 2\nd_model = 32\nn_vocab = 512\n",
        ),
        ("no-recipe.toml", "question = \"?\"\n[[set]]\nname = \"A\"\nn_layer = 2\n"),
        ("shape.toml", &experiment("n_layer = 2\nd_model = 30\nn_head = 4")),
        ("formula.toml", &experiment("n_layer = 2\nd_model = 32\nlr = \"0.01 * sqrt(8 / d_modl)\"")),
        (
            "missing-text.toml",
            "question = \"?\"\nrecipe = \"nano-1\"\n[data]\ntext = [\"missing\"]\n[[set]]\nname = \"A\"\nn_layer = 2\nd_model = 32\n",
        ),
        ("corpus.toml", "[input]\npaths = [\"runs.csv\"]\n[filters]\nrules = \"webtext-1\"\n"),
    ] {
        fs::write(dir.join(name), text).unwrap();
    }
    let fitted = scalelaw(dir).args(["fit", "chinchilla", "runs.csv", "--out", "law.json"]).output().unwrap();
    assert!(fitted.status.success(), "{}", String::from_utf8_lossy(&fitted.stderr));
}

#[test]
fn mistakes_are_answered_as_committed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().canonicalize().unwrap();
    files(&dir);
    let mut said = String::new();
    for mistake in MISTAKES {
        let output = scalelaw(&dir).args(crate::documentation::split(mistake)).output().unwrap();
        let code = output.status.code().unwrap_or(-1);
        assert!(code == 1 || code == 2, "scalelaw {mistake}: exit code {code}");
        let stderr = String::from_utf8_lossy(&output.stderr).replace(&dir.display().to_string(), "DIR");
        assert!(!stderr.contains("panicked"), "scalelaw {mistake}: {stderr}");
        let _ = writeln!(said, "$ scalelaw {mistake}");
        for line in stderr.replace("scalelaw.exe", "scalelaw").lines() {
            let _ = writeln!(said, "{}", line.trim_end());
        }
        let _ = writeln!(said, "[exit code {code}]\n");
    }
    assert!(MISTAKES.len() >= 60);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/committed/errors.txt");
    assert_committed(&committed, said.trim_end());
}

#[cfg(unix)]
#[test]
fn closed_pipes_end_the_program_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_scalelaw");
    for command in ["plan --list", "--help", "manual", "fitt", "plan", "fit missing.csv"] {
        let shell = format!("{{ {program} {command} 2>&1; echo $? >&3; }} 3>code | :");
        let output = std::process::Command::new("sh")
            .args(["-c", &shell])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success());
        let code = fs::read_to_string(folder.path().join("code")).unwrap();
        assert!(["0", "1", "2"].contains(&code.trim()), "scalelaw {command}: exit code {code}");
    }
}
