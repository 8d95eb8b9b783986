use postern_types::PolicyName;

use crate::fixture::{Fixture, env, start};

pub(crate) async fn are_saved_listed_and_deleted(fixture: &Fixture) {
    let (policies, dev) = (fixture.store.policies(), env("dev"));
    let name = PolicyName::parse("allow-all").unwrap();
    let text = "permit(principal, action, resource);";
    let saved = policies.create(&dev, &name, text, start()).await.unwrap();
    assert_eq!(policies.show(&dev, &name).await.unwrap(), saved);
    assert_eq!(policies.list(&dev).await.unwrap(), [saved]);
    assert_eq!(policies.list(&env("prod")).await.unwrap(), []);
    let again = policies
        .create(&dev, &name, text, start())
        .await
        .unwrap_err();
    assert!(again.is_conflict());
    let large = "/".repeat(64 * 1024 + 1);
    let other = PolicyName::parse("other").unwrap();
    let refused = policies
        .create(&dev, &other, &large, start())
        .await
        .unwrap_err();
    assert!(refused.is_invalid());
    let nowhere = policies
        .create(&env("test"), &name, text, start())
        .await
        .unwrap_err();
    assert!(nowhere.is_not_found());
    policies.delete(&dev, &name).await.unwrap();
    assert!(policies.show(&dev, &name).await.unwrap_err().is_not_found());
    assert!(
        policies
            .delete(&dev, &name)
            .await
            .unwrap_err()
            .is_not_found()
    );
}
