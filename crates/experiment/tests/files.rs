//! Experiment files as people write them, right and wrong.
#![allow(clippy::unwrap_used)] // a failed step of a test's set-up is a failed test

use scalelaw_core::measure::EvaluationSet;
use scalelaw_core::schedule::Decay;
use scalelaw_core::units::{FlopConvention, ParamConvention};
use scalelaw_core::{Head, ModelShape, RunSpec};
use scalelaw_experiment::{ComposedData, DataOrigin, DataSection, ExperimentFile, Facts, PlannedRun};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Table;

fn facts() -> Facts {
    Facts {
        name: "toy".into(),
        digest: "d".into(),
        n_vocab: 512,
        train_tokens: 1_000_000,
        test_tokens: 0,
        evals: vec![],
    }
}

const HEAD: &str = "question = \"?\"\nrecipe = \"nano-1\"\n[data]\nsynthetic = 0\ntest_tokens = 4096\n";

fn runs(sets: &str) -> Vec<RunSpec> {
    let file = ExperimentFile::parse("t.toml", &format!("{HEAD}{sets}")).unwrap_or_else(|e| panic!("{e}"));
    let runs = file.runs(&facts()).unwrap_or_else(|e| panic!("{e}"));
    runs.into_iter().map(|run| run.spec).collect()
}

fn error(sets: &str) -> String {
    let parsed = ExperimentFile::parse("t.toml", &format!("{HEAD}{sets}"));
    parsed.and_then(|file| file.runs(&facts()).map(|_| ())).unwrap_err().to_string()
}

#[test]
fn lists_multiply_the_first_changing_slowest() {
    let runs = runs(
        "[[set]]\nname = \"A\"\nmodels = [{ n_layer = 1, d_model = 8 }, { n_layer = 2, d_model = 32 }]\n\
                     train_tokens = [\"D\", \"D/4\", \"D/2^4\"]\nseeds = [0, 1]\n",
    );
    assert_eq!(runs.len(), 12);
    let order: Vec<_> = runs.iter().map(|r| (r.model.d_model, r.data.train_tokens, r.seed)).collect();
    assert_eq!(order[..3], [(8, 1_000_000, 0), (8, 1_000_000, 1), (8, 250_000, 0)]);
    assert_eq!(order[11], (32, 62_500, 1));
    let keys: BTreeSet<String> = runs.iter().map(RunSpec::key).collect();
    assert_eq!(keys.len(), 12);
}

#[test]
fn recipe_rules_give_each_width_its_rate_weights_and_heads() {
    let runs = runs("[[set]]\nname = \"A\"\nn_layer = 2\nd_model = [8, 64]\n");
    assert_eq!(runs[0].schedule.lr, 0.014);
    assert!((runs[1].schedule.lr - 0.014 / 8f64.sqrt()).abs() < 1e-15);
    assert_eq!(runs[0].model, ModelShape::standard(2, 8, 1, 64, 512, Head::Untied));
    assert_eq!(runs[1].model, ModelShape::standard(2, 64, 4, 64, 512, Head::Untied));
    assert_eq!(runs[1].batch.sequences, 64);
    assert_eq!(runs[1].schedule.decay, Decay::Constant { cooldown_steps: 750, final_fraction: 0.0 });
    assert_eq!(runs[0].recipe, "nano-1");
}

#[test]
fn grids_reach_every_field_also_inside_a_kind() {
    let runs = runs(
        "[[set]]\nname = \"H\"\nn_layer = 2\nd_model = 32\n\
         decay = [{ kind = \"cosine\", final_fraction = 0.0 }, { kind = \"linear\", final_fraction = [0.0, 0.1] }]\n\
         optimizer.beta2 = [0.95, 0.99]\n",
    );
    assert_eq!(runs.len(), 6);
    assert_eq!(runs[0].schedule.decay, Decay::Cosine { final_fraction: 0.0 });
    assert_eq!(runs[5].schedule.decay, Decay::Linear { final_fraction: 0.1 });
    assert_ne!(runs[0].key(), runs[1].key());
}

#[test]
fn budget_in_flops_gives_each_size_its_steps() {
    let runs =
        runs("[[set]]\nname = \"J\"\nflops_full = [\"1e11\", \"4e11\"]\nn_layer = 2\nd_model = [16, 64]\n");
    assert_eq!(runs.len(), 4);
    for (run, budget) in runs.iter().zip([1e11, 1e11, 4e11, 4e11]) {
        let spent = run.model.train_flops_per_token(FlopConvention::Full) * run.tokens() as f64;
        let step = spent / run.steps as f64;
        assert!((spent - budget).abs() <= 0.5 * step, "{spent} for {budget}");
    }
}

#[test]
fn batch_scan_keeps_the_tokens_and_tunes_the_rate_per_batch() {
    let runs = runs(
        "[[set]]\nname = \"C\"\nn_layer = 2\nd_model = 32\ntokens = \"1M\"\nbatch_tokens = [512, 4096]\n\
         lr = [\"0.01 * sqrt(batch_tokens / 4096)\", \"0.02 * sqrt(B / 4096)\"]\nmicro_sequences = \"sequences / 2\"\n",
    );
    let got: Vec<_> = runs.iter().map(|r| (r.batch.sequences, r.batch.micro_sequences, r.steps)).collect();
    assert_eq!(got, [(8, 4, 1953), (8, 4, 1953), (64, 32, 244), (64, 32, 244)]);
    assert_eq!(runs[2].schedule.lr, 0.01);
    assert_eq!(runs[3].schedule.lr, 0.02);
}

#[test]
fn shape_sweep_holds_n_to_one_percent() {
    let runs = runs("[[set]]\nname = \"D\"\nn_nonembed = 98304\naspect = [4, 8, 16, 32, 96]\n");
    let mut depths = BTreeSet::new();
    for run in &runs {
        let n = run.model.n_params(ParamConvention::NonEmbedding) as f64;
        assert!((n / 98_304.0 - 1.0).abs() <= 0.01, "{:?} has {n}", run.model);
        depths.insert(run.model.n_layer);
    }
    assert!(depths.len() >= 4, "{depths:?}");
}

#[test]
fn run_of_two_sets_appears_once_with_both_names() {
    let sets = "[[set]]\nname = \"A\"\nn_layer = 2\nd_model = [16, 32]\n[[set]]\nname = \"I\"\nn_layer = 2\nd_model = 32\n\
                seeds = [0, 1]\n";
    let file = ExperimentFile::parse("t.toml", &format!("{HEAD}{sets}")).unwrap();
    let runs = file.runs(&facts()).unwrap();
    assert_eq!(runs.len(), 3);
    assert_eq!(runs[1].sets, ["A", "I"]);
}

#[test]
fn named_ladder_may_be_a_list_or_a_rule() {
    let sets = "[ladder]\nsmall = [{ n_layer = 1, d_model = 8 }, { n_layer = 2, d_model = 16 }]\n\
                rule = { n_nonembed = [3072, 98304], aspect = 32 }\n[[set]]\nname = \"A\"\nmodels = [\"small\", \"rule\"]\n";
    let runs = runs(sets);
    let n: Vec<u64> = runs.iter().map(|r| r.model.n_params(ParamConvention::NonEmbedding)).collect();
    assert_eq!(n[..2], [768, 6144]);
    assert!(n.len() == 4 && n[3] == 98_304, "{n:?}");
}

#[test]
fn models_may_be_shapes_that_the_paper_names() {
    let runs = runs(
        "[[set]]\nname = \"A\"\nmodels = \"kaplan\"\n[[set]]\nname = \"B\"\nmodels = [\"kaplan-768\", { n_layer = 3, d_model = 16 }]\n",
    );
    let n: Vec<u64> = runs.iter().map(|r| r.model.n_params(ParamConvention::NonEmbedding)).collect();
    assert_eq!((n.len(), n[0], n[7], n[10]), (11, 768, 1_474_560_000, 9216), "{n:?}");
    let message = error("[[set]]\nname = \"A\"\nmodels = \"kaplan-86m\"\n");
    assert!(message.contains("did you mean `kaplan-85m`?"), "{message}");
}

#[test]
fn branches_share_a_trunk_and_have_the_keys_of_runs_of_their_own() {
    let runs_of = |set: &str| runs(&format!("[[set]]\nname = \"A\"\nn_layer = 2\nd_model = 32\n{set}"));
    let family = runs_of("steps = 2500\nbranches = [\"steps / 4\", 2500]\nseeds = [0, 1]\n");
    assert_eq!(family.len(), 6, "two trunks with two branches each");
    let (trunk, short, long) = (&family[0], &family[1], &family[2]);
    assert_eq!(trunk.schedule.decay, Decay::Constant { cooldown_steps: 0, final_fraction: 0.0 });
    assert_eq!(trunk.training.branch_steps, [437, 1750]);
    assert_eq!((short.steps, long.steps), (625, 2500));
    assert_eq!(long.training.parent_run, Some(trunk.key()));
    assert_eq!(long.key(), runs_of("steps = 2500\n")[0].key());
    let message = error("[[set]]\nname = \"A\"\nn_layer = 2\nd_model = 32\nbranches = [9000]\n");
    assert!(message.contains("leaves the trunk after 6300 of its 2500 steps"), "{message}");
}

#[test]
fn settings_of_training_and_other_architectures_are_settings_like_any() {
    let runs = runs(
        "[[set]]\nname = \"F\"\narchitecture = \"lstm\"\nn_layer = [1, 2]\nd_model = 32\n\
         [[set]]\nname = \"G\"\nreuse = [2, 4]\nn_layer = 1\nd_model = 32\ndropout = 0.1\n",
    );
    assert_eq!(runs.len(), 4);
    assert_eq!(runs[0].model.architecture.name(), "lstm");
    assert_eq!((runs[3].model.reuse(), runs[3].training.dropout), (4, 0.1));
}

#[test]
fn later_ways_to_say_a_length_replace_earlier_ones() {
    let runs = runs("[[set]]\nname = \"A\"\nn_layer = 1\nd_model = 8\nepochs = 2\ntrain_tokens = 40960\n");
    assert_eq!(runs[0].steps, 20);
}

#[test]
fn unknown_key_names_file_line_caret_and_the_nearest_key() {
    let message = error("[[set]]\nname = \"A\"\nn_layers = 2\n");
    assert!(message.starts_with("t.toml:8:1: unknown key `n_layers`"), "{message}");
    assert!(message.contains("8 | n_layers = 2\n  | ^^^^^^^^ did you mean `n_layer`?"), "{message}");
    let message = error("[[set]]\nname = \"A\"\nbatch = { sequence = 2 }\n");
    assert!(message.contains("`sequence`") && message.contains("did you mean `sequences`"), "{message}");
}

#[test]
fn mistakes_in_values_point_at_the_value() {
    for (set, wanted) in [
        ("n_layer = 2\nd_model = 32\nlr = \"0.1 * sqrt(d_modl)\"", ["d_modl", "did you mean `d_model`?"]),
        ("n_layer = 2\nd_model = 32\nlr = -1", ["schedule.lr", "lr = -1"]),
        ("n_layer = 2\nd_model = 32\nhead = \"tide\"", ["tide", "did you mean `tied`?"]),
        ("n_layer = 2\nd_model = 32\nbatch_tokens = 100", ["not a whole number of sequences", "100"]),
        ("n_layer = 2\nd_model = 32\nsteps = 5\ntokens = 5", ["say the same thing twice", "tokens = 5"]),
        ("n_nonembed = 98304", ["no shape", "add aspect"]),
        ("n_layer = 2\nd_model = \"2 * d_model\"", ["circle", "d_model"]),
        ("models = \"smal\"", ["no [ladder] called", "smal"]),
        ("n_layer = 2\nd_model = []", ["empty list", "[]"]),
        ("n_layer = 2\nd_model = 32\ndecay = { kind = \"cosin\" }", ["cosin", "did you mean `cosine`?"]),
        ("n_layer = 2", ["d_model", "A"]),
    ] {
        let message = error(&format!("[[set]]\nname = \"A\"\n{set}\n"));
        assert!(message.contains("t.toml:") && message.contains('^'), "{message}");
        for part in wanted {
            assert!(message.contains(part), "{set}: {message}");
        }
    }
}

#[test]
fn mistakes_in_the_frame_are_refused() {
    for (text, wanted) in [
        ("qestion = \"?\"\n", "did you mean `question`?"),
        ("question = \"?\"\nrecipe = \"nano-2\"\n", "did you mean \"nano-1\"?"),
        ("question = \"?\"\n[recipe]\nname = \"mine\"\n", "mine-1"),
        ("question = \"?\"\nrecipe = \"nano-1\"\n", "`set` is missing"),
        ("question = \"?\"\nrecipe = \"nano-1\"\n[data]\nsynthetic = 0\ntext = \"x\"\n", "second source"),
        ("question = \"?\"\nrecipe = \"nano-1\"\n[data]\ntexts = \"x\"\n", "did you mean `text`?"),
        ("question = \"?\"\nrecipe = \"nano-1\"\n[trainer]\nname = \"t-1\"\n", "no command"),
        ("question = [\n", "t.toml:"),
    ] {
        let message = ExperimentFile::parse("t.toml", text).unwrap_err().to_string();
        assert!(message.contains(wanted), "{text}: {message}");
    }
}

/// A quickstart's file as the first ones were: every model with its rate, in a recipe of its own.
#[test]
fn quickstart_of_before_keeps_its_keys() {
    let file = ExperimentFile::parse("experiment.toml", include_str!("quickstart.toml")).unwrap();
    assert_eq!(file.data.origin, DataOrigin::Here);
    let runs = file.runs(&quickstart_facts()).unwrap();
    assert_eq!((runs.len(), digest_of_keys(&runs).as_str()), (20, "81a0f7ec952e"));
}

fn quickstart_facts() -> Facts {
    Facts {
        name: "Rust crates".into(),
        digest: "fecc3826b373c3954b2e09c466229e9b8ac2422e8398d99452fdc3a1ad88f011".into(),
        train_tokens: 9_031_494,
        test_tokens: 100_000,
        ..facts()
    }
}

#[test]
fn quickstart_composed_on_its_recipe_has_the_runs_of_before() {
    let before = ExperimentFile::parse("experiment.toml", include_str!("quickstart.toml")).unwrap();
    let Facts { name, digest, .. } = quickstart_facts();
    let data = ComposedData { name, digest, test_tokens: 47_840 };
    let sets: Table = "[[set]]\nname = \"size\"\nd_model = [8, 16, 24, 32, 48, 64, 80]\n\
                       data = [{ train_tokens = 9031494, steps = 1495 }]\n\
                       [[set]]\nname = \"data\"\nd_model = 64\n\
                       data = [{ train_tokens = 382720, steps = 1495 }, { train_tokens = 191360, steps = 934 }, \
                               { train_tokens = 95680, steps = 467 }, { train_tokens = 47840, steps = 233 }, \
                               { train_tokens = 23920, steps = 116 }]\n\
                       [[set]]\nname = \"short\"\nd_model = [16, 32, 64]\n\
                       data = [{ train_tokens = 9031494, steps = 747 }, { train_tokens = 9031494, steps = 373 }]\n\
                       [[set]]\nname = \"seed\"\nd_model = 32\nseeds = [1, 2]\n\
                       data = [{ train_tokens = 9031494, steps = 1495 }]\n"
        .parse()
        .unwrap();
    let sets = sets["set"].as_array().unwrap();
    let now = ExperimentFile::compose("e.toml", &before.question, "quickstart-1", &data, sets).unwrap();
    assert_eq!(now.runs(&quickstart_facts()).unwrap(), before.runs(&quickstart_facts()).unwrap());
    let again = ExperimentFile::parse("e.toml", now.text()).unwrap();
    assert_eq!(again.runs(&quickstart_facts()).unwrap(), now.runs(&quickstart_facts()).unwrap());
}

#[test]
fn experiment_with_other_sets_keeps_recipe_and_trainer_and_lies_beside_its_data() {
    let text = format!(
        "{HEAD}[ladder]\nsmall = [{{ n_layer = 1, d_model = 8 }}]\n[[set]]\nname = \"A\"\nmodels = \"small\"\n"
    );
    let file = ExperimentFile::parse("t.toml", &text).unwrap();
    let sets: Table = "[[set]]\nname = \"B\"\nn_layer = 2\nd_model = 16\n".parse().unwrap();
    let other = file.with_sets("u.toml", "what else?", &facts(), sets["set"].as_array().unwrap()).unwrap();
    let of = |data: &DataSection| (data.origin.clone(), data.digest.clone());
    assert_eq!(of(&other.data), (DataOrigin::Here, Some("d".to_owned())));
    assert_eq!((other.question.as_str(), other.recipe.as_str()), ("what else?", "nano-1"));
    let runs = other.runs(&facts()).unwrap();
    assert_eq!((runs.len(), runs[0].spec.data.test_tokens, runs[0].sets[0].as_str()), (1, 4096, "B"));
}

#[test]
fn resolved_runs_of_a_released_recipe_never_change() {
    // Golden keys: nano-1 is frozen.
    let runs = runs("[[set]]\nname = \"A\"\nn_layer = 2\nd_model = [16, 64]\n");
    let keys: Vec<String> = runs.iter().map(RunSpec::key).collect();
    assert_eq!(keys, ["l2d16-n6144-t1000000-s0-c0f8d79b3c43", "l2d64-n98304-t1000000-s0-4dd6a59fbac3"]);
}

#[test]
fn evaluation_sets_of_the_file_are_in_every_spec() {
    let text = "question = \"?\"\nrecipe = \"nano-1\"\n[data]\neval_tokens = \"16k\"\ntest_tokens = 65536\n\
                [evals]\nbooks = \"b\"\ncode = [\"c\", \"d\"]\n[[set]]\nname = \"A\"\nn_layer = 2\nd_model = [16, 64]\n";
    let file = ExperimentFile::parse("t.toml", text).unwrap();
    assert_eq!(file.eval_tokens(), Some(16_000));
    let unsaid = ExperimentFile::parse("t.toml", &text.replace("eval_tokens = \"16k\"\n", "")).unwrap();
    assert_eq!(unsaid.eval_tokens(), Some(65_536), "as many as test tokens");
    let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
    assert_eq!(file.evals, [("books".into(), paths(&["b"])), ("code".into(), paths(&["c", "d"]))]);
    let set = |name: &str| EvaluationSet { name: name.into(), digest: "e".into(), tokens: 16_000 };
    let sets = vec![set("books"), set("code")];
    let runs = file.runs(&Facts { evals: sets.clone(), ..facts() }).unwrap();
    assert_eq!(runs.len(), 2);
    assert!(runs.iter().all(|run| run.spec.measure.sets == sets));
}

#[test]
fn evaluation_set_with_a_name_that_is_no_column_is_shown_where_it_is() {
    let text = "question = \"?\"\nrecipe = \"nano-1\"\n[evals]\n\"my books\" = \"b\"\n[[set]]\nname = \"A\"\nn_layer = 2\n";
    let message = ExperimentFile::parse("t.toml", text).unwrap_err().to_string();
    assert!(message.contains("t.toml:4:") && message.contains("letters, digits"), "{message}");
}

/// The keys of all runs of an experiment, in its order.
fn digest_of_keys(runs: &[PlannedRun]) -> String {
    let keys: Vec<&str> = runs.iter().map(|run| run.key.as_str()).collect();
    blake3::hash(keys.join(" ").as_bytes()).to_hex()[..12].to_owned()
}

/// Every experiment of the repository, with the number of its runs and a digest of their keys, which never change; and
/// what a tier of the paper's costs.
#[test]
fn experiments_of_the_repository_resolve_to_the_runs_they_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let runs = |name: &str, n_vocab: u32, train_tokens: u64| {
        let text = std::fs::read_to_string(root.join(name)).unwrap();
        let file = ExperimentFile::parse(name, &text).unwrap_or_else(|e| panic!("{e}"));
        let facts = Facts { n_vocab, train_tokens, ..facts() };
        file.runs(&facts).unwrap_or_else(|e| panic!("{e}"))
    };
    let smoke = runs("smoke.toml", 512, 1_000_000);
    assert_eq!((smoke.len(), digest_of_keys(&smoke).as_str()), (14, "b41031d16bc4"));
    const SETS: [&str; 10] = [
        "a-sizes",
        "b-sizes-by-data",
        "c-batches",
        "d-shapes",
        "e-context",
        "f-lstm",
        "g-recurrent",
        "h-schedules",
        "i-seeds",
        "j-isoflop",
    ];
    // Counts of sets A to J, and the FLOPs with head and attention of all of them if nothing stops early.
    for (tier, n_vocab, train_tokens, counts, keys, flops) in [
        ("nano", 512, 32_000_000, [39, 20, 28, 10, 4, 9, 9, 8, 9, 20], "232134f6b511", 4e14..7e14),
        ("small", 1024, 100_000_000, [50, 48, 54, 13, 8, 12, 12, 14, 16, 30], "274c9315b391", 1e16..3e16),
        ("mini", 8192, 700_000_000, [85, 48, 54, 19, 6, 12, 12, 14, 16, 35], "b058ae06db08", 1e18..1e19),
    ] {
        let mut sum = 0.0;
        let mut all = Vec::new();
        for (set, count) in SETS.iter().zip(counts) {
            let name = format!("paper/{tier}/{set}.toml");
            let runs = runs(&name, n_vocab, train_tokens);
            assert_eq!(runs.len(), count, "{name}");
            let cost = |spec: &RunSpec| {
                let first = spec.training.parent_run.as_ref().and_then(|_| spec.branch_step()).unwrap_or(0);
                let tokens = (spec.steps - first) * spec.batch_tokens();
                tokens as f64 * spec.model.train_flops_per_token(FlopConvention::Full)
            };
            sum += runs.iter().map(|run| cost(&run.spec)).sum::<f64>();
            all.extend(runs);
        }
        assert_eq!(digest_of_keys(&all), keys, "{tier}");
        assert!(flops.contains(&sum), "{tier}: {sum:e} FLOPs");
    }
}
