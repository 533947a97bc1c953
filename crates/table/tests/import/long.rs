//! Tables with a row a value.

use crate::{curve, import_text, said};

const LONG: &str = ",run,tag,step,value\n0,a,val_loss,100,4.4\n1,a,val_loss,200,3.9\n2,a,loss,100,4.2\n\
    3,a,loss,200,3.7\n4,a,accuracy,100,0.1\n5,a,accuracy,200,0.2\n6,b,val_loss,100,4.1\n7,b,loss,100,4.0\n";

#[test]
fn long_table_has_a_metric_for_each_tag() {
    // The user's word for the column of values leaves the choice to the tags' names.
    for map in [vec![], vec!["test_loss=value"]] {
        let imported = import_text("tb.csv", LONG, &map).unwrap();
        assert_eq!(curve(&imported, "a", |r| r.test_loss), [(100, 4.4), (200, 3.9)]);
        assert_eq!(curve(&imported, "a", |r| r.train_loss), [(100, 4.2), (200, 3.7)]);
        assert_eq!(curve(&imported, "b", |r| r.test_loss), [(100, 4.1)]);
        assert!(said(&imported, "tag names the metric of value"), "{:?}", imported.notes);
        assert!(imported.problems.is_empty(), "{:?}", imported.problems);
    }
}

#[test]
fn long_table_without_a_known_tag_asks_for_one() {
    let table = "step,metric,value\n1,nll/c4,3.0\n1,nll/wiki,2.0\n2,nll/c4,2.9\n2,nll/wiki,1.9\n";
    let imported = import_text("t.csv", table, &["test_loss=value"]).unwrap();
    assert!(imported.runs.is_empty());
    let problem = &imported.problems[0];
    assert!(problem.contains("a metric for each metric; name one of them: nll/c4, nll/wiki"), "{problem}");
    let imported = import_text("t.csv", table, &["test_loss=nll/c4"]).unwrap();
    assert_eq!(curve(&imported, "r", |r| r.test_loss), [(1, 3.0), (2, 2.9)]);
    let named = "name,step,value\nval_loss,1,3.0\nval_loss,2,2.9\nlr,1,0.1\n";
    assert_eq!(import_text("t.csv", named, &[]).unwrap().runs[0].loss, Some(2.9));
    let only = "step,metric,value\n1,nll/c4,3.0\n2,nll/c4,2.9\n";
    assert_eq!(import_text("t.csv", only, &["test_loss=value"]).unwrap().runs[0].loss, Some(2.9));
}

#[test]
fn column_of_the_split_keeps_train_and_validation_apart() {
    let table = "step,split,loss\n1,train,3.0\n1,val,3.1\n2,train,2.9\n2,val,3.05\n";
    let imported = import_text("t.csv", table, &[]).unwrap();
    assert_eq!(curve(&imported, "r", |r| r.test_loss), [(1, 3.1), (2, 3.05)]);
    assert_eq!(curve(&imported, "r", |r| r.train_loss), [(1, 3.0), (2, 2.9)]);
    // A column that tells no rows apart names nothing.
    let table = "step,dataset,val_loss\n1,c4,3.0\n2,c4,2.9\n";
    assert_eq!(import_text("t.csv", table, &[]).unwrap().runs[0].loss, Some(2.9));
}

#[test]
fn csv_of_a_tensorboard_page_is_of_the_tag_in_its_name() {
    let csv = "Wall time,Step,Value\n1600000000.5,100,4.4\n1600000001.5,200,3.9\n";
    for map in [vec![], vec!["test_loss=Value"]] {
        let imported = import_text("run-gpt12m-tag-loss_val.csv", csv, &map).unwrap();
        assert_eq!(curve(&imported, "r", |r| r.test_loss), [(100, 4.4), (200, 3.9)]);
    }
}

#[test]
fn sizes_tell_the_runs_of_a_table_without_their_names() {
    let table =
        "params,step,val_loss\n60000000,100,4.0\n60000000,200,3.5\n85000000,100,3.9\n85000000,200,3.4\n";
    let imported = import_text("t.csv", table, &[]).unwrap();
    assert_eq!(curve(&imported, "params=60000000", |r| r.test_loss), [(100, 4.0), (200, 3.5)]);
    assert_eq!(curve(&imported, "params=85000000", |r| r.test_loss), [(100, 3.9), (200, 3.4)]);
    assert!(said(&imported, "rows of one params are a run"), "{:?}", imported.notes);
}
