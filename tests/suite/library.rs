//! The library's front door, as another program uses it.

use std::cell::RefCell;
use std::rc::Rc;

use tryall::{Answer, Code, Observer, Options, Request, Response, Silent, Status};

use crate::support::*;

/// Keeps the ids of answers and all notices.
#[derive(Default)]
struct Heard(RefCell<Vec<String>>);

impl Observer for Heard {
    fn answered(&self, answer: &Answer) {
        self.0.borrow_mut().push(answer.id.clone());
    }

    fn notice(&self, notice: &str) {
        self.0.borrow_mut().push(notice.into());
    }
}

fn request(text: &str) -> Request {
    Request::from_json(text.as_bytes()).unwrap()
}

#[test]
fn a_request_is_answered_relative_to_its_base() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("include")).unwrap();
    write(dir.path(), "include/own.h", "#define OWN 7\n");
    let request = request(
        r#"{"checks": [
            {"id": "OWN", "kind": "define", "name": "OWN", "headers": ["own.h"], "include_dirs": ["include"]},
            {"id": "NONE", "kind": "header", "header": "none.h"},
            {"id": "AFTER", "kind": "function", "function": "fork", "needs": ["NONE"]}
        ]}"#,
    );
    let heard = Rc::new(Heard::default());
    let options = Options { base: Some(dir.path().into()), ..Options::default() };
    let response = tryall::run(request, &options, heard.clone());
    let Response::Answered(answers) = response else { panic!("{response:?}") };
    let statuses: Vec<_> = answers.results.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [Status::Yes, Status::No, Status::Skipped]);
    assert_eq!(answers.results[2].code, Some(Code::NeedNotMet));
    assert_eq!(answers.summary.skipped, 1);
    let mut heard = heard.0.borrow().clone();
    heard.sort();
    assert_eq!(heard, ["AFTER", "NONE", "OWN"]);
}

#[test]
fn an_unusable_request_is_refused_with_a_code() {
    let error = Request::from_json(br#"{"checks": [{"id": "A", "kind": "heder"}]}"#).unwrap_err();
    assert_eq!(error.code, Code::UnknownKind);
    assert!(error.to_string().contains("did you mean \"header\""), "{error}");
    let circle = r#"{"checks": [{"id": "A", "kind": "endian", "needs": ["A"]}]}"#;
    let response = tryall::run(request(circle), &Options::default(), Rc::new(Silent));
    let Response::Refused(refusal) = response else { panic!("{response:?}") };
    assert!(refusal.error.to_string().contains("checks[0]"), "{}", refusal.error);
}
