//! Broadband orders in any number: those of `examples/broadband-b2c`, shortened
//! to about 2 kB, and different from each other as far as its catalog allows.
//!
//! Invariant: the same number and seed give the same bytes.

use std::fmt::Write as _;
use std::io::{self, Write};

/// `SplitMix64`: small, and good enough to vary orders.
pub struct Choice(u64);

impl Choice {
    /// The same seed, the same choices.
    pub fn new(seed: u64) -> Choice {
        Choice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        let position = self.below(values.len() as u64);
        values[usize::try_from(position).expect("positions in a list are small")]
    }
}

const GIVEN_NAMES: [&str; 12] = [
    "Jane", "Daniel", "Mei Lin", "Zoë", "Arjun", "Siobhán", "Noah", "Aroha", "José", "Freya",
    "Omar", "Chloé",
];
const FAMILY_NAMES: [&str; 12] = [
    "Smith",
    "Okafor",
    "Tan",
    "Müller",
    "Patel",
    "O'Brien",
    "Nguyen",
    "Ngata",
    "García",
    "Lindqvist",
    "Haddad",
    "Lefèvre",
];
const STREETS: [&str; 6] = [
    "Fibre Lane",
    "Cable Street",
    "Riverside Quay",
    "Harbour Road",
    "Station Parade",
    "Elm Close",
];
const TOWNS: [&str; 5] = ["Melbourne", "Richmond", "Southbank", "Carlton", "Footscray"];
const AREAS: [&str; 5] = ["EAST", "WEST", "NORTH", "SOUTH", "RICHMOND"];
const OFFERINGS: [(&str, &str, u64, u64); 2] = [
    ("PO-SF200H", "SuperFibre 200 Home", 200, 89),
    ("PO-SF500H", "SuperFibre 500 Home", 500, 109),
];
const CHANNELS: [(&str, &str); 2] = [("CH-ONLINE", "Online shop"), ("CH-RETAIL", "Retail store")];

/// Writes `count` orders, one a line.
///
/// # Errors
/// If the output does not take them.
pub fn stream(output: &mut impl Write, count: usize, seed: u64) -> io::Result<()> {
    let mut choice = Choice(seed);
    let mut text = String::with_capacity(4096);
    for number in 1..=count {
        text.clear();
        let items = |text: &mut String, choice: &mut Choice| item(text, choice, 1);
        order(&mut text, &mut choice, number, items);
        text.push('\n');
        output.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Writes one order with `count` items, on one line.
///
/// # Errors
/// If the output does not take it.
pub fn large(output: &mut impl Write, count: usize, seed: u64) -> io::Result<()> {
    let mut text = String::with_capacity(count * 1536 + 4096);
    order(&mut text, &mut Choice(seed), 1, |text, choice| {
        for number in 1..=count {
            if number > 1 {
                text.push(',');
            }
            item(text, choice, number);
        }
    });
    text.push('\n');
    output.write_all(text.as_bytes())
}

/// Appends an order with the items that `items` appends.
fn order(
    text: &mut String,
    choice: &mut Choice,
    number: usize,
    items: impl FnOnce(&mut String, &mut Choice),
) {
    let name = format!(
        "{} {}",
        choice.one_of(&GIVEN_NAMES),
        choice.one_of(&FAMILY_NAMES)
    );
    let (channel, channel_name) = choice.one_of(&CHANNELS);
    let (day, hour) = (choice.below(28) + 1, choice.below(24));
    let (minute, second) = (choice.below(60), choice.below(60));
    let customer = choice.below(1_000_000);
    let _ = write!(
        text,
        "{{\"id\":\"ORD-{number:08}\",\"externalId\":\"CRM-2026-{number:08}\",\"category\":\"B2C\",\
         \"description\":\"Home broadband for {name}\",\"priority\":\"{}\",\
         \"orderDate\":\"2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}+11:00\",\
         \"requestedStartDate\":\"2026-12-01T08:00:00+11:00\",\
         \"requestedCompletionDate\":\"2026-12-{:02}T17:00:00+11:00\",\
         \"billingAccount\":{{\"id\":\"ACC-{customer:06}\",\"name\":\"{name}, home services\",\
         \"@referredType\":\"BillingAccount\"}},\
         \"channel\":[{{\"id\":\"{channel}\",\"name\":\"{channel_name}\",\"role\":\"salesChannel\",\
         \"@referredType\":\"Channel\"}}],\"productOrderItem\":[",
        choice.below(4) + 1,
        choice.below(20) + 4,
    );
    items(text, choice);
    let _ = write!(
        text,
        "],\"relatedParty\":[{{\"id\":\"CUST-{customer:06}\",\"name\":\"{name}\",\"role\":\"customer\",\
         \"@type\":\"RelatedParty\",\"@referredType\":\"Customer\"}}],\"@type\":\"ProductOrder\"}}"
    );
}

fn item(text: &mut String, choice: &mut Choice, number: usize) {
    let (offering, name, download, fee) = choice.one_of(&OFFERINGS);
    let fibre = choice.below(3) > 0;
    let technology = if fibre { "GPON" } else { "HFC" };
    let node = if fibre { "OLT" } else { "CMTS" };
    let router = if fibre {
        choice.one_of(&["Huawei HG8245H", "Nokia G-240W-C"])
    } else {
        "Technicolor CGA4234"
    };
    let place = choice.below(100_000);
    let _ = write!(
        text,
        "{{\"id\":\"{number}\",\"quantity\":1,\"action\":\"add\",\
         \"itemPrice\":[{{\"name\":\"Monthly fee\",\"priceType\":\"recurring\",\"recurringChargePeriod\":\"month\",\
         \"price\":{{\"taxRate\":10.0,\"taxIncludedAmount\":{{\"unit\":\"AUD\",\"value\":{fee}.0}}}},\
         \"@type\":\"OrderPrice\"}}],\
         \"productOffering\":{{\"id\":\"{offering}\",\"name\":\"{name}\",\"@referredType\":\"ProductOffering\"}},\
         \"product\":{{\"name\":\"{name}\",\"isBundle\":false,\
         \"productSpecification\":{{\"id\":\"PS-RBA-01\",\"name\":\"Residential Broadband Access\",\
         \"version\":\"4.2\",\"@referredType\":\"ProductSpecification\"}},\
         \"place\":[{{\"id\":\"GA-3000-{place:05}\",\"name\":\"{} {}, {} VIC 3{:03}\",\
         \"role\":\"installationAddress\",\"@referredType\":\"GeographicAddress\"}}],\
         \"productCharacteristic\":[",
        choice.below(200) + 1,
        choice.one_of(&STREETS),
        choice.one_of(&TOWNS),
        choice.below(200),
    );
    let area = format!(
        "\"{node}-{}-{:02}\"",
        choice.one_of(&AREAS),
        choice.below(40) + 1
    );
    let quota = choice.one_of(&["\"unlimited\"", "\"1000 GB\"", "\"500 GB\""]);
    let upload = choice.one_of(&["20", "50", "100"]);
    let download = download.to_string();
    let characteristics = [
        ("accessTechnology", "string", &*format!("\"{technology}\"")),
        ("servingArea", "string", &*area),
        ("downloadSpeed", "integer", &*download),
        ("uploadSpeed", "integer", upload),
        ("dataQuota", "string", quota),
        ("router", "string", &*format!("\"{router}\"")),
        (
            "wifiApp",
            "boolean",
            if choice.below(4) > 0 { "true" } else { "false" },
        ),
        (
            "staticIp",
            "boolean",
            if choice.below(8) == 0 {
                "true"
            } else {
                "false"
            },
        ),
    ];
    for (position, (name, value_type, value)) in characteristics.into_iter().enumerate() {
        let comma = if position == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}{{\"name\":\"{name}\",\"valueType\":\"{value_type}\",\"value\":{value}}}"
        );
    }
    text.push_str("],\"@type\":\"Product\"},\"@type\":\"ProductOrderItem\"}");
}
