//! Which columns are read, in which units, and which rows.

use crate::{column, file, points};
use scalelaw_fit::Space;
use scalelaw_fit::laws::{self, Chinchilla};
use scalelaw_lab::observations::{Source, Wanted};
use scalelaw_lab::{LabError, Observations, TableRequest};

#[test]
fn rows_of_runs_that_crashed_or_still_run_are_left_out_and_counted() {
    let table = file(
        "Name,State,N,D,loss\na,finished,1e7,2e8,4.1\nb,crashed,2e7,4e8,9\nc,Running,4e7,8e8,8\nd,failed,8e7,2e9,7\n\
         e,finished,1.6e8,4e9,3\n",
    );
    let read = points(&table.request(), &Chinchilla).unwrap();
    assert_eq!(read.dataset.response(), [4.1, 3.0]);
    let said = read.reading.left_out.to_string();
    for part in ["3 of 5 rows", "1 by State = crashed", "1 by State = running", "1 by State = failed"] {
        assert!(said.contains(part), "{said}");
    }
    let all = TableRequest { filter: Some("State != 'running' or loss > 0".into()), ..table.request() };
    assert_eq!(points(&all, &Chinchilla).unwrap().dataset.len(), 5, "a filter that names the column decides");
}

#[test]
fn rows_of_our_own_diverged_runs_and_of_columns_of_truths_are_left_out() {
    let ours = file(
        "run_id,n_nonembed,tokens,loss,status\na,1e7,2e8,4,completed\nb,2e7,4e8,9,diverged at step 7\nc,4e7,8e8,3.5,stopped: patience\n",
    );
    assert_eq!(points(&ours.request(), &Chinchilla).unwrap().dataset.response(), [4.0, 3.5]);
    let truths = file("N,D,loss,diverged\n1e7,2e8,4,False\n2e7,4e8,9,True\n4e7,8e8,3.5,False\n");
    assert_eq!(points(&truths.request(), &Chinchilla).unwrap().dataset.response(), [4.0, 3.5]);
}

#[test]
fn table_of_runs_none_of_which_ended_is_refused_with_the_counts() {
    let table = file("N,D,loss,state\n1e7,2e8,4,failed\n2e7,4e8,9,failed\n4e7,8e8,3.5,crashed\n");
    let error = Observations::open(&table.request()).unwrap_err();
    assert!(matches!(error, LabError::NoneEnded { .. }), "{error}");
    assert!(error.to_string().contains("2 by state = failed"), "{error}");
}

#[test]
fn empty_column_never_wins_over_a_filled_or_derivable_one() {
    let two = file("N,D,val_loss,loss\n1e7,2e8,,4.1\n2e7,4e8,,3.8\n4e7,8e8,,3.5\n");
    assert_eq!(column(&points(&two.request(), &Chinchilla).unwrap(), "loss"), "loss");
    let derived = file("N,tokens,flops,loss\n1e7,,1.2e16,4.1\n2e7,,4.8e16,3.8\n4e7,,1.92e17,3.5\n");
    let read = points(&derived.request(), &Chinchilla).unwrap();
    assert!(matches!(read.reading.assigned[2].source, Source::Derived { .. }));
    let wide =
        file("run_id,n_nonembed,d_unique,tokens,loss\na,1e7,,2e8,4.1\nb,2e7,,4e8,3.8\nc,4e7,,8e8,3.5\n");
    let observations = Observations::open(&wide.request()).unwrap();
    let served = laws::all().into_iter().filter(|law| observations.serves(law.as_ref()));
    assert!(
        served.into_iter().all(|law| law.variables().iter().all(|v| v != "U")),
        "no law of an empty column"
    );
    let none = file("N,D,loss\n1e7,2e8,\n2e7,4e8,\n");
    let error = points(&none.request(), &Chinchilla).unwrap_err().to_string();
    assert!(error.contains("row 1, column loss: missing"), "{error}");
}

#[test]
fn half_empty_column_does_not_win_over_a_full_one() {
    let table = file("N,D,val_loss,loss\n1e7,2e8,4.1,4.2\n2e7,4e8,,3.8\n4e7,8e8,,3.5\n");
    assert_eq!(column(&points(&table.request(), &Chinchilla).unwrap(), "loss"), "loss");
}

#[test]
fn losses_on_held_out_text_come_before_others_and_the_others_are_named() {
    for (header, chosen, others) in [
        ("train_loss,val_loss,loss", "val_loss", "loss train_loss"),
        ("train_loss,loss,c4_val_loss", "c4_val_loss", "loss train_loss"),
        ("train_loss,C4 Eval Loss,val_ppl", "C4 Eval Loss", "train_loss"),
        ("train_loss,loss,val_bpb", "loss", "val_bpb train_loss"),
        ("train_loss,x,val_bpb", "val_bpb", "train_loss"),
        ("eval/paloma/macro_loss,y,z", "eval/paloma/macro_loss", ""),
        ("aux_loss,loss_c4,train_loss", "loss_c4", "train_loss"),
    ] {
        let table =
            file(&format!("N,D,{header}\n1e7,2e8,4.1,4.2,4.3\n2e7,4e8,3.8,3.9,4\n4e7,8e8,3.5,3.6,3.7\n"));
        let read = points(&table.request(), &Chinchilla).unwrap();
        assert_eq!(column(&read, "loss"), chosen, "{header}");
        assert_eq!(read.reading.passed_over.join(" "), others, "{header}");
    }
}

#[test]
fn other_columns_of_sizes_are_named_unless_the_user_chose() {
    let table = file(
        "model_size,total_params,n,D,loss\n10M,12345678,small,2e8,4.1\n20M,24e6,large,4e8,3.8\n40M,46e6,xl,8e8,3.5\n",
    );
    let read = points(&table.request(), &Chinchilla).unwrap();
    assert_eq!(
        (column(&read, "N").as_str(), read.reading.other_sizes.join(" ")),
        ("model_size", "total_params".into())
    );
    let read = points(&table.mapped(&[("N", "total_params")]), &Chinchilla).unwrap();
    assert_eq!(read.reading.other_sizes.join(" "), "");
    let same = file("params,n_params,D,loss\n1e7,1e7,2e8,4.1\n2e7,2e7,4e8,3.8\n4e7,4e7,8e8,3.5\n");
    assert_eq!(points(&same.request(), &Chinchilla).unwrap().reading.other_sizes.join(" "), "");
}

#[test]
fn two_columns_of_one_header_are_told_apart_or_refused() {
    let table = file("loss,N,D,loss\n9.9,1e7,2e8,4.1\n9.9,2e7,4e8,3.8\n9.9,4e7,8e8,3.5\n");
    let error = points(&table.request(), &Chinchilla).unwrap_err();
    assert!(matches!(&error, LabError::Twins { twin, .. } if twin == "loss.2"), "{error}");
    let read = points(&table.mapped(&[("loss", "loss.2")]), &Chinchilla).unwrap();
    assert_eq!(read.dataset.response(), [4.1, 3.8, 3.5]);
    let same = file("loss,N,D,loss\n4.1,1e7,2e8,4.1\n3.8,2e7,4e8,3.8\n3.5,4e7,8e8,3.5\n");
    assert_eq!(points(&same.request(), &Chinchilla).unwrap().dataset.len(), 3);
}

#[test]
fn column_of_seconds_called_t_is_no_column_of_tokens() {
    let table = file("params,t,loss\n7e7,3.5,4.3\n7e7,13.5,3.9\n1.6e8,43.5,3.6\n");
    let error = points(&table.request(), &Chinchilla).unwrap_err();
    assert!(matches!(&error, LabError::NoColumn { symbol, .. } if symbol == "D"), "{error}");
}

#[test]
fn assigned_name_that_the_law_does_not_use_is_refused_and_an_expression_may_use_any() {
    let table = file("size,experts,D,loss\n1e7,2,2e8,4.1\n2e7,4,4e8,3.8\n4e7,8,8e8,3.5\n");
    let map = [("N", "size"), ("X", "experts")];
    let error = points(&table.mapped(&map), &Chinchilla).unwrap_err();
    assert!(matches!(&error, LabError::UnusedMap { symbol, .. } if symbol == "X"), "{error}");
    assert!(error.to_string().contains("it uses N, D, loss"), "{error}");
    let observations = Observations::open(&table.mapped(&map)).unwrap();
    let law = observations.law("a*ln(N) + b*ln(X) + d", &[]).unwrap();
    assert_eq!(law.variables(), ["N", "X"], "a name that is assigned is never a parameter");
    let read = observations.points(&Wanted::law(law.as_ref())).unwrap();
    assert_eq!(read.dataset.column("X").unwrap(), [2.0, 4.0, 8.0]);
}

#[test]
fn assigned_name_that_another_is_derived_from_is_used() {
    let table = file("size,cost,loss\n1e7,1.2e16,4.1\n2e7,4.8e16,3.8\n");
    let read = points(&table.mapped(&[("N", "size"), ("C", "cost")]), &Chinchilla).unwrap();
    assert!((read.dataset.column("D").unwrap()[0] / 2e8 - 1.0).abs() < 1e-12);
}

#[test]
fn assigned_expressions_are_computed_from_the_columns_as_they_are() {
    let table = file("params,log_d,ppl\n10,8,60.34\n20,9,44.7\n40,10,33.1\n");
    let map = [("N", "1e6*params"), ("D", "10^log_d"), ("loss", "ln(ppl)")];
    let read = points(&table.mapped(&map), &Chinchilla).unwrap();
    assert_eq!(read.dataset.column("N").unwrap(), [1e7, 2e7, 4e7]);
    assert!((read.dataset.column("D").unwrap()[2] / 1e10 - 1.0).abs() < 1e-12);
    assert!((read.dataset.response()[0] - 4.1).abs() < 1e-4);
    let unknown = points(&table.mapped(&[("N", "1e6*paramz")]), &Chinchilla).unwrap_err().to_string();
    assert!(unknown.contains("paramz") && unknown.contains("params"), "{unknown}");
}

#[test]
fn units_of_headers_are_read_where_a_column_is_recognised_or_assigned() {
    for header in ["params (M),tokens_B,val/loss", "N_millions,D (billions),loss", "log10_N,log10(D),loss"] {
        let log = header.starts_with("log");
        let (n, d) = if log { ("7", "9") } else { ("10", "1") };
        let table = file(&format!("{header}\n{n},{d},4.1\n{n},{d},3.8\n"));
        let columns: Vec<&str> = header.split(',').collect();
        for request in [table.request(), table.mapped(&[("N", columns[0]), ("D", columns[1])])] {
            let read = points(&request, &Chinchilla).unwrap();
            assert!((read.dataset.column("N").unwrap()[0] / 1e7 - 1.0).abs() < 1e-12, "{header}");
            assert!((read.dataset.column("D").unwrap()[0] / 1e9 - 1.0).abs() < 1e-12, "{header}");
        }
    }
    let table = file("parameter_count,throughput/total_gflops,eval/loss\n1e8,3e10,3.5\n2e8,3e10,3.4\n");
    let read = points(&table.request(), &Chinchilla).unwrap();
    assert!((read.dataset.column("D").unwrap()[0] / 5e10 - 1.0).abs() < 1e-12);
}

#[test]
fn response_below_zero_is_fitted_itself_or_named_with_its_row() {
    let table = file("N,D,loss\n1e7,2e8,-1.3\n2e7,4e8,-1.6\n4e7,8e8,0.2\n");
    let observations = Observations::open(&table.request()).unwrap();
    let wanted = Wanted { space: Space::Linear, ..Wanted::law(&Chinchilla) };
    assert_eq!(observations.points(&wanted).unwrap().dataset.response(), [-1.3, -1.6, 0.2]);
    let log = points(&table.request(), &Chinchilla).unwrap();
    let problems: Vec<String> = log.reading.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems[0], "row 1, column loss: -1.3 is not positive");
}

#[test]
fn filter_compares_truths_and_is_told_of_names_that_need_back_quotes() {
    let table = file("N,D,C4 Eval Loss,outlier\n1e7,2e8,4.1,True\n2e7,4e8,3.8,False\n4e7,8e8,3.5,False\n");
    let filtered =
        |filter: &str| points(&TableRequest { filter: Some(filter.into()), ..table.request() }, &Chinchilla);
    for filter in
        ["outlier == false", "not outlier", "outlier != True", "outlier == 'False'", "`C4 Eval Loss` < 4"]
    {
        assert_eq!(filtered(filter).unwrap().dataset.len(), 2, "{filter}");
    }
    let error = filtered("C4 Eval Loss < 4").unwrap_err().to_string();
    assert!(error.contains("C4 Eval Loss") && error.contains("more than one word"), "{error}");
}
