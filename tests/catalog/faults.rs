//! Fifty seeded faults in the example catalog: each is found by lint, by the tests of the catalog,
//! or by the impact on its orders; none by a crash.

use std::collections::BTreeMap;

use crate::mutant::Mutant;
use crate::{orderctl, stderr};

/// A fault: file, what stands before the place, what is replaced, and by what.
pub type Fault = (&'static str, &'static str, &'static str, &'static str);

const BROADBAND: &str = "broadband/rules.yaml";
const CLOUD: &str = "cloud-msp/rules.yaml";
const FIXED: &str = "fixed-b2b/rules.yaml";
const MOBILE: &str = "mobile-4g/rules.yaml";
const FLEET: &str = "mobile-5g/rules.yaml";
const SATELLITE: &str = "satellite-maritime/rules.yaml";
const SDWAN: &str = "sdwan-b2b/rules.yaml";

/// The faults, by what was done.
pub const FAULTS: &[Fault] = &[
    // References.
    (
        BROADBAND,
        "id: R-INTERNET-STATIC-IP",
        "target: {id: RFS-STATIC-IP}",
        "target: {id: RFS-STATIC-IPS}",
    ),
    (BROADBAND, "id: A-STATIC-IP", "RS-STATIC-IP", "RS-VLAN"),
    (
        "broadband/offerings.json",
        "PO-SF200H",
        "\"id\": \"PS-RBA-01\"",
        "\"id\": \"PS-MPA-01\"",
    ),
    (
        CLOUD,
        "id: R-CLD-NETWORK",
        "source: {id: CFS-CLD-LANDING-ZONE}",
        "source: {id: CFS-CLD-COMPUTE}",
    ),
    (SATELLITE, "id: A-SAT-AAA", "RS-SAT-AAA", "RS-SAT-AAAA"),
    (
        SDWAN,
        "id: R-SDWAN-ZTP",
        "target: {id: RFS-SDWAN-ZTP}",
        "target: {id: RFS-ESA-ZTP-CONFIG}",
    ),
    // Characteristics.
    (
        "broadband/service-specifications.yaml",
        "id: CFS-INTERNET-ACCESS",
        "name: servingArea",
        "name: serviceArea",
    ),
    (
        "broadband/service-specifications.yaml",
        "name: servingArea",
        "minCardinality: 1",
        "minCardinality: 0",
    ),
    (
        BROADBAND,
        "id: R-INTERNET-QOS-PROFILE",
        "target: downstreamRate",
        "target: downStreamRate",
    ),
    (
        CLOUD,
        "id: R-CLD-FIREWALL",
        "source.firewallPolicy",
        "source.firewallpolicy",
    ),
    (
        CLOUD,
        "id: R-CLD-INSTANCE",
        "same: [environment]",
        "same: [enviroment]",
    ),
    (
        "mobile-4g/product-specifications.json",
        "\"dataAllowance\"",
        "\"integer\"",
        "\"string\"",
    ),
    // Values and bounds.
    (
        "broadband/product-specifications.json",
        "\"downloadSpeed\"",
        "\"value\": 200",
        "\"value\": 201",
    ),
    (
        "broadband/product-specifications.json",
        "\"uploadSpeed\"",
        "\"valueFrom\": 10",
        "\"valueFrom\": 1000",
    ),
    (
        BROADBAND,
        "id: R-INTERNET-VLAN-SERVICE",
        "835 : 1835",
        "1835 : 835",
    ),
    (
        BROADBAND,
        "id: R-INTERNET-QOS-PROFILE",
        "source.downloadSpeed * 1000",
        "source.downloadSpeed * 100",
    ),
    (CLOUD, "id: R-CLD-CMDB", "\"MSP-\"", "\"MSP\""),
    (
        FIXED,
        "id: R-ESA-QOS-POLICY",
        "\"Gold\": \"premium\"",
        "\"Gold\": \"premuim\"",
    ),
    (
        FIXED,
        "id: R-ESA-QOS-POLICY",
        "\"Silver\": \"business\", ",
        "",
    ),
    (
        FIXED,
        "id: R-ESA-SLA-PROBE",
        "\"Bronze\": 24",
        "\"Bronze\": 2400",
    ),
    (
        MOBILE,
        "id: R-MPA-PCRF-POLICY",
        "source.dataAllowance * 1024",
        "source.dataAllowance * 1000",
    ),
    (
        FLEET,
        "id: R-5G-URLLC-PCF",
        "source.urllcLatency <= 10",
        "source.urllcLatency < 10",
    ),
    (
        SATELLITE,
        "id: R-SAT-BEAM",
        "\"POR-KU-03\"",
        "\"IOR-KU-07\"",
    ),
    // Conditions.
    (
        BROADBAND,
        "id: R-INTERNET-GPON-BEARER",
        "== \"GPON\"",
        "!= \"GPON\"",
    ),
    (
        BROADBAND,
        "id: R-INTERNET-CMTS-CHANNEL",
        "== \"HFC\"",
        "== \"HFX\"",
    ),
    (
        BROADBAND,
        "id: R-INTERNET-STATIC-IP",
        "condition: source.staticIp\n",
        "",
    ),
    (
        BROADBAND,
        "id: R-RBA-WIFI-MGMT",
        "condition: source.wifiApp",
        "condition: source.wifiApp || !source.wifiApp",
    ),
    (
        CLOUD,
        "id: R-CLD-BACKUP",
        "condition: environment.backup",
        "condition: \"!environment.backup\"",
    ),
    (CLOUD, "id: G-CLD-APPROVAL", "> 10000", "> 10000000"),
    (FIXED, "id: R-ESA-OLT-PORT", "== \"GPON\"", "== \"P2P\""),
    (MOBILE, "id: R-MPA-VOICEMAIL", "!= \"none\"", "== \"none\""),
    (
        FLEET,
        "id: R-5G-ESIM-PROFILE",
        "device.type == \"tracker\"",
        "device.type != \"tracker\"",
    ),
    // Loops, places, sharing.
    (
        CLOUD,
        "id: R-CLD-NETWORK",
        "key: environment.name",
        "key: environment.cidr",
    ),
    (FIXED, "id: R-ESA-FIBRE-ACCESS", "place: site.place\n", ""),
    (MOBILE, "id: R-MPA-VOICE-HSS", "share: {scope: item}\n", ""),
    (
        MOBILE,
        "id: R-MPA-SMS-OTA",
        "share: {scope: item}",
        "share: {scope: order}",
    ),
    // Order of work.
    (
        BROADBAND,
        "id: R-INTERNET-VLAN-SERVICE",
        "  - {id: RFS-GPON-BEARER}\n",
        "",
    ),
    (
        BROADBAND,
        "id: R-INTERNET-GPON-BEARER",
        "value: residential}\n",
        "value: residential}\ndependsOn:\n  - {id: RFS-VLAN-SERVICE}\n",
    ),
    (
        CLOUD,
        "id: R-CLD-FIREWALL",
        "  - {id: RFS-CLD-NETWORK}",
        "  - {id: RFS-CLD-INSTANCE}",
    ),
    (CLOUD, "id: R-CLD-BACKUP", ", same: [environment]", ""),
    (
        FIXED,
        "id: R-ESA-BNG-SESSION",
        "scope: parent",
        "scope: order",
    ),
    (
        MOBILE,
        "id: R-MPA-MNP-PORT-IN",
        "  - {id: RFS-MPA-HLR-PROFILE}\n",
        "",
    ),
    (FLEET, "id: R-5G-FLEET-PORTAL", ", until: ended", ""),
    // How work is done.
    (BROADBAND, "id: A-VLAN", "endpoint: bng", "endpoint: bgn"),
    (
        BROADBAND,
        "id: A-OLT-PORT",
        "optimistic: PT2M",
        "optimistic: PT30M",
    ),
    (
        MOBILE,
        "id: A-MPA-MNP-PORT-IN",
        "pointOfNoReturn: true\n",
        "",
    ),
    (
        MOBILE,
        "id: A-MPA-MNP-PORT-IN",
        "compensation: {none:",
        "# compensation: {none:",
    ),
    (
        MOBILE,
        "id: A-MPA-MNP-PORT-IN",
        ", end: resource.portWindowEnd",
        "",
    ),
    (FLEET, "id: A-5G-ESIM-PROFILE", "onFailure: fail\n", ""),
    (
        SATELLITE,
        "id: A-SAT-ANTENNA",
        "compensation: {none:",
        "# compensation: {none:",
    ),
    // Gates and waves.
    (
        CLOUD,
        "id: G-CLD-APPROVAL",
        "kind: approval",
        "kind: credit",
    ),
    (
        FIXED,
        "id: G-ESA-FEASIBILITY",
        "for: {id: CFS-ESA-FIBRE-ACCESS}\n",
        "",
    ),
    (
        FIXED,
        "id: G-ESA-APPROVAL",
        "after: [{id: G-ESA-FEASIBILITY}]\n",
        "",
    ),
    (
        FIXED,
        "id: W-ESA-ROLLOUT",
        "[pilot, wave1, wave2]",
        "[wave1, pilot, wave2]",
    ),
    // Life cycles.
    (
        "broadband/product-specifications.json",
        "PS-RBA-01",
        "\"Active\"",
        "\"Retired\"",
    ),
    (
        "mobile-4g/resource-specifications.json",
        "RS-MPA-HLR-PROFILE",
        "\"Active\"",
        "\"Retired\"",
    ),
];

/// Who finds a fault: `lint`, `test` or `impact`.
fn finder(mutant: &Mutant, fault: &Fault) -> Option<&'static str> {
    let stories = [
        "broadband-b2c",
        "cloud-msp",
        "fixed-b2b",
        "mobile-4g",
        "mobile-5g",
        "satellite-maritime",
        "sdwan-b2b",
    ];
    let endpoints = stories.map(|it| format!("examples/{it}/endpoints.toml"));
    let mut lint = vec!["catalog", "lint", "--strict", "--catalog", mutant.folder()];
    for file in &endpoints {
        lint.extend(["--endpoints", file]);
    }
    let orders = "examples/catalog-tests";
    let test = ["catalog", "test", orders, "--catalog", mutant.folder()];
    let impact = [
        "catalog",
        "impact",
        "examples/catalog",
        mutant.folder(),
        "--orders",
        orders,
        "--exit-code",
    ];
    for (name, arguments) in [("lint", &lint[..]), ("test", &test), ("impact", &impact)] {
        let output = orderctl(arguments);
        match output.status.code() {
            Some(0) => {}
            Some(1) => return Some(name),
            code => panic!("{fault:?}: {name} ended with {code:?}: {}", stderr(&output)),
        }
    }
    None
}

#[test]
fn every_seeded_fault_is_found() {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut missed = Vec::new();
    for fault in FAULTS {
        let (file, behind, from, to) = *fault;
        let mutant = Mutant::new();
        mutant.replace(file, behind, (from, to));
        match finder(&mutant, fault) {
            Some(name) => *found.entry(name).or_default() += 1,
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "nobody finds {missed:#?}");
    assert!(FAULTS.len() >= 50, "{}", FAULTS.len());
    assert!(found["lint"] > 20 && found["test"] > 10, "{found:?}");
}
