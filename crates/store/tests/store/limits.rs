//! The gateway's windows, as they are kept for a restart.

use crate::fixture;
use keygate_store::{Charge, LimitWindow};

#[tokio::test]
async fn a_window_is_told_while_any_of_it_counts_and_says_when_the_model_was_called() {
    let fixture = fixture().await;
    let account = fixture.owner.account.clone();
    let workspace = fixture.workspace("Search team").await.unwrap().id;
    let charge = |second, requests, tokens| Charge { second, requests, tokens };
    let window = |charges: &[Charge]| LimitWindow {
        account: account.clone(),
        region: "r".into(),
        model: "m".into(),
        workspace: Some(workspace.clone()),
        charges: charges.to_vec(),
    };
    // A call that ran for long: its last tokens are much newer than itself.
    let long = window(&[charge(1000, 1, 5), charge(1090, 0, 7)]);
    fixture.store.limit_windows_save(std::slice::from_ref(&long)).await.unwrap();
    assert_eq!(fixture.store.limit_windows(1_090_000).await.unwrap(), [long]);
    assert!(fixture.store.limit_windows(1_090_001).await.unwrap().is_empty());
    let last_called = async || fixture.store.models_last_called(&account, &workspace).await.unwrap();
    assert_eq!(last_called().await[&"m".into()], 1_000_000);

    // The call no longer counts, and is remembered still.
    let rest = window(&[charge(1090, 0, 7)]);
    fixture.store.limit_windows_save(std::slice::from_ref(&rest)).await.unwrap();
    assert_eq!(fixture.store.limit_windows(0).await.unwrap(), [rest]);
    assert_eq!(last_called().await[&"m".into()], 1_000_000);
    assert!(fixture.store.models_last_called(&"acc-other".into(), &workspace).await.unwrap().is_empty());
}
