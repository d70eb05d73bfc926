//! Orders through all stages.

#![no_main]

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use orderctl::catalog::{self, Catalog};
use orderctl::chain::Chain;
use orderctl::decompose::{self, Decomposer};
use orderctl::document::Stream;
use orderctl::plan::Planning;
use orderctl::validate::Validation;

fn broadband() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/catalog/broadband");
        let files = catalog::read_folder(&folder).expect("files");
        let loaded = catalog::load(&files).expect("documents");
        loaded.catalog.expect("a catalog")
    })
}

fuzz_target!(|bytes: &[u8]| {
    let catalog = broadband();
    let Some(batch) = Stream::new(bytes, "-").next_batch() else {
        return;
    };
    let validation = Validation {
        catalog: Some(catalog),
        ..Validation::default()
    };
    let with = Decomposer {
        catalog,
        inventory: None,
        explain: true,
    };
    for document in batch.parse().0 {
        let Some(order) = validation.check(&document).order else {
            continue;
        };
        let mut chain = Chain::new(document.clone());
        let service = decompose::service_order(&with, &order).ok();
        if let Some(service) = service.and_then(|it| it.document) {
            let derived = validation.check(&service).order;
            let resource = derived.map(|it| decompose::resource_order(&with, &it, Some(&order)));
            let resource = resource.and_then(Result::ok).and_then(|it| it.document);
            chain.documents.push(service.clone());
            chain.documents.extend(resource);
        }
        let planning = Planning {
            catalog: Some(catalog),
            default_endpoint: Some("all"),
            ..Planning::default()
        };
        drop(planning.plan(&chain));
    }
});
