//! What RegisterUsage leaves behind: the programs that registered, and the key that signs.

use std::path::Path;

use souk_core::ids::{AccountId, MeteringResource, ProductId, SandboxName};
use souk_core::metering::Program;

use crate::served::Served;
use crate::words::{put, turn_by};

const DOCUMENT: &str = "
clock: {at: 2025-03-10T12:00:00Z}
accounts:
  - {accountId: 111122223333, seller: {}}
  - {accountId: 000000000200}
  - {accountId: 000000000201, payerAccountId: 000000000200}
products:
  - productId: prod-a
    title: A
    sellerAccountId: 111122223333
    productType: CONTAINER
    usageCategory: UNITS
    dimensions: [{key: units, unit: Units, types: [EXTERNALLY_METERED]}]
offers:
  - offerId: offer-a
    productId: prod-a
    terms: [{usageBasedPricing: {rateCard: {units: 0.05}}}]
agreements:
  - {offerId: offer-a, buyerAccountId: 000000000201, acceptanceTime: 2025-03-01T00:00:00Z}
";
const KEY: &str = "register-usage-key.pem";

/// Whether a task may say that it runs the product.
async fn registers(served: &Served, task: &str) -> bool {
    let account = |text| AccountId::from_field(text, "account").expect("an account");
    let program = Program {
        payer: account("000000000200"),
        buyer: account("000000000201"),
        product: ProductId::new("prod-a"),
        resource: MeteringResource::new(task),
    };
    let registered = served.souk().register_usage(&SandboxName::new("default"), program).await;
    registered.expect("a partition that answers")
}

async fn cancel(served: &Served) {
    let agreements = served.client.get_sandbox("default").await.expect("a sandbox").agreements;
    served.client.cancel_agreement("default", &agreements[0].agreement_id).await.expect("a live agreement");
}

async fn public_key(served: &Served) -> Vec<String> {
    let shown = served.client.get_sandbox("default").await.expect("a sandbox");
    shown.public_keys.into_iter().map(|key| key.public_key).collect()
}

#[tokio::test]
async fn a_program_is_registered_across_a_restart_and_signed_by_the_same_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::in_folder(folder.path()).await;
    put(&served.client, "default", DOCUMENT).await;
    assert!(registers(&served, "task/1").await);
    let key = public_key(&served).await;
    assert!(key[0].starts_with("-----BEGIN PUBLIC KEY-----\n"), "{key:?}");
    cancel(&served).await;
    served.stop().await;

    let served = Served::in_folder(folder.path()).await;
    turn_by(&served.client, "default", 1).await;
    assert!(registers(&served, "task/1").await);
    assert!(!registers(&served, "task/2").await);
    assert_eq!(public_key(&served).await, key);
    served.stop().await;
}

#[tokio::test]
async fn the_key_is_not_made_for_sandboxes_that_sell_no_containers() {
    let folder = tempfile::tempdir().expect("a folder");
    let served = Served::in_folder(folder.path()).await;
    let made = |folder: &Path| folder.join(KEY).exists();
    put(&served.client, "default", &DOCUMENT.replace("CONTAINER", "SAAS")).await;
    assert_eq!(public_key(&served).await, Vec::<String>::new());
    put(&served.client, "default", DOCUMENT).await;
    assert!(!made(folder.path()), "a sandbox is made without it");
    assert_eq!(public_key(&served).await.len(), 1);
    assert!(made(folder.path()));
    served.stop().await;
}
