//! What `souk scenario record` tells of runs and inferences.

use crate::scenarios::{run_as_json, scenarios, souk, stdout};
use crate::served::Served;

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_not_recorded_and_inferences_are() {
    let served = Served::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("recorded.yaml");
    let path = file.to_str().expect("UTF-8");
    let stories =
        [("b-11-a-pod-by-the-second", ""), ("b-16-inferences-that-succeeded", "meterRuns: {product: Model")];
    for (story, left_out) in stories {
        let text =
            std::fs::read_to_string(scenarios().join(story).with_extension("yaml")).expect("a scenario");
        let played = folder.path().join(story).with_extension("yaml");
        std::fs::write(&played, without_step(&text, left_out)).expect("a file");
        let kept = souk(&["run", played.to_str().expect("UTF-8"), "--keep", "--endpoint", &served.endpoint]);
        let failed = if left_out.is_empty() { Some(0) } else { Some(1) };
        assert_eq!(kept.status.code(), failed, "{}", stdout(&kept));
        let name = served.client.all_sandboxes().await.expect("a list").pop().expect("a sandbox").name;
        let recorded = souk(&["record", &name, "-o", path, "--endpoint", &served.endpoint]);
        let said = String::from_utf8_lossy(&recorded.stderr).into_owned();
        match left_out {
            "" => {
                assert_eq!(recorded.status.code(), Some(2), "{said}");
                assert!(said.contains("runs of \"pod\" were metered by the second or minute"), "{said}");
            }
            _ => assert!(recorded.status.success(), "{said}"),
        }
        served.client.delete_sandbox(&name).await.expect("a sandbox");
    }
    served.stop().await;
    let text = std::fs::read_to_string(&file).expect("a recording");
    assert!(
        text.contains("dimension: inference, calls: [{id: recorded-482362-1, status: 200, units: 6"),
        "{text}"
    );
    assert_eq!(run_as_json(&[path]).0, Some(0), "{text}");
}

/// A scenario without the step of an action that begins so.
fn without_step(text: &str, action: &str) -> String {
    let Some(at) = text.find(action).filter(|_| !action.is_empty()) else { return text.to_owned() };
    let begin = text[..at].rfind("\n  - ").expect("a step");
    let end = text[at..].find("\n\n").map_or(text.len(), |end| at + end);
    format!("{}{}", &text[..begin], &text[end..])
}
