//! Standings of hand-made chains, and how they are shown.

use super::table::Detail;
use super::*;
use crate::chain::Chain;
use crate::diagnostic::human::Styling;
use crate::document::Document;

const PRODUCT: &str = r#"{"@type":"ProductOrder","id":"1","externalId":"X-1","state":"inProgress","productOrderItem":[
  {"id":"1","action":"add","state":"inProgress","productOffering":{"name":"Fibre 200"}}]}"#;
const SERVICE: &str = r#"{"@type":"ServiceOrder","id":"1.S","state":"inProgress","orderRelationship":[{"id":"1","relationshipType":"cross-ref"}],
 "serviceOrderItem":[{"id":"1.A","action":"add","state":"inProgress","service":{"name":"Internet"},
   "serviceOrderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1"}}]}]}"#;
const RESOURCE: &str = r#"{"@type":"ResourceOrder","id":"1.S.R","state":"inProgress","externalReference":[{"id":"1.S","entityType":"ServiceOrder"}],
 "orderItem":[
  {"id":"a","action":"add","state":"held","resource":{"name":"Bearer"},"orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1.A"}}]},
  {"id":"b","action":"add","state":"acknowledged","resource":{"name":"VLAN"},"orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1.A"}}]},
  {"id":"c","action":"add","state":"acknowledged","resource":{"name":"VLAN"},"orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1.A"}}]},
  {"id":"d","action":"add","state":"completed","resource":{"name":"Modem"},"orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"9"}}]}]}"#;
const PLAN: &str = r#"{"@type":"OrchestrationPlan","id":"1.P","state":"hold","relatedEntity":[{"id":"1","role":"rootOrder","@referredType":"ProductOrder"}],
 "taskFlow":[
  {"id":"a","name":"Bearer","endpoint":"olt","state":"hold","reason":"500 Internal Server Error"},
  {"id":"b","name":"VLAN","endpoint":"bng","state":"new","taskFlowRelationship":[{"taskFlow":{"id":"a"}}]},
  {"id":"c","name":"VLAN","endpoint":"bng","state":"new","taskFlowRelationship":[{"taskFlow":{"id":"b"}},{"taskFlow":{"id":"d"}}]},
  {"id":"d","name":"Modem","endpoint":"acs","state":"completed"}]}"#;

fn chain(texts: &[&str]) -> Chain {
    let parse = |text: &&str| Document::parse((*text).to_owned(), "test").expect("JSON");
    Chain {
        documents: texts.iter().map(parse).collect(),
    }
}

fn standing(texts: &[&str]) -> Standing {
    Standing::of(&chain(texts)).expect("an order chain")
}

fn summary_of(plan: &str) -> String {
    standing(&[PRODUCT, plan]).summary
}

#[test]
fn the_tree_shows_every_layer_and_what_blocks() {
    let standing = standing(&[PRODUCT, SERVICE, RESOURCE, PLAN]);
    assert_eq!(
        table::tree(&standing, 80, Styling::Plain, Detail::Folded),
        "\
──────────────────────────────────────────────────────────────────────────────
 Order / item      Kind / endpoint   State          Waits for / reason
══════════════════════════════════════════════════════════════════════════════
 1                 ProductOrder      inProgress
 ├─ 1.S            ServiceOrder      inProgress
 ├─ 1.S.R          ResourceOrder     inProgress
 ├─ 1 Fibre 200    product           inProgress
 │  └─ Internet    service           inProgress
 │     ├─ Bearer   olt               held           500 Internal Server Error
 │     ├─ b VLAN   bng               acknowledged   Bearer
 │     └─ c VLAN   bng               acknowledged   VLAN
 └─ Modem          acs               completed
──────────────────────────────────────────────────────────────────────────────
held: Bearer at olt: 500 Internal Server Error; 2 tasks wait for it
"
    );
}

#[test]
fn the_document_says_the_same() {
    let line = json::line(&standing(&[PRODUCT, SERVICE, RESOURCE, PLAN]));
    let status: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(status["@type"], "OrderStatus");
    assert_eq!(status["formatVersion"], "1.0");
    assert_eq!(
        (&status["id"], &status["externalId"]),
        (&"1".into(), &"X-1".into())
    );
    assert_eq!(status["tasks"]["total"], 4);
    assert_eq!(status["tasks"]["hold"], 1);
    let internet = &status["items"][0]["items"][0];
    assert_eq!(internet["@referredType"], "ServiceOrderItem");
    assert_eq!(
        internet["items"][0]["task"]["reason"],
        "500 Internal Server Error"
    );
    assert_eq!(
        internet["items"][1]["task"]["waitsFor"][0]["name"],
        "Bearer"
    );
    assert_eq!(status["items"][1]["realizes"][0], "9");
}

#[test]
fn the_summary_says_what_is_next() {
    let task = |id: &str, state: &str, before: &str| {
        let waits = match before {
            "" => String::new(),
            id => format!(r#","taskFlowRelationship":[{{"taskFlow":{{"id":"{id}"}}}}]"#),
        };
        format!(r#"{{"id":"{id}","endpoint":"e","state":"{state}"{waits}}}"#)
    };
    let plan = |tasks: &[String]| {
        let tasks = tasks.join(",");
        summary_of(&format!(
            r#"{{"@type":"OrchestrationPlan","taskFlow":[{tasks}]}}"#
        ))
    };
    for (tasks, summary) in [
        (vec![], "completed: 0 tasks"),
        (vec![task("a", "completed", "")], "completed: 1 task"),
        (
            vec![task("a", "new", ""), task("b", "new", "a")],
            "not begun: 2 tasks; next: a",
        ),
        (
            vec![task("a", "completed", ""), task("b", "new", "a")],
            "interrupted: 1 of 2 tasks completed; next: b",
        ),
        (
            vec![task("a", "active", ""), task("b", "new", "a")],
            "under way: a; 0 of 2 tasks completed",
        ),
        (
            vec![
                task("a", "hold", ""),
                task("b", "hold", ""),
                task("c", "active", ""),
            ],
            "held: a at e, and 1 more; 1 task under way",
        ),
        (
            vec![task("a", "hold", ""), task("b", "new", "a")],
            "held: a at e; 1 task waits for it",
        ),
        (vec![task("a", "cancelled", "")], "given up: a at e"),
        // A circle, in a plan that nobody made.
        (
            vec![task("a", "hold", "b"), task("b", "new", "a")],
            "held: a at e; 1 task waits for it",
        ),
    ] {
        assert_eq!(plan(&tasks), summary);
    }
}

#[test]
fn orders_that_are_not_planned_say_what_is_missing() {
    let orders = [PRODUCT, SERVICE, RESOURCE];
    assert_eq!(
        standing(&orders).summary,
        "not planned: `orderctl plan` is next"
    );
    assert_eq!(standing(&orders).tasks, None);
    let expected = "not decomposed: `orderctl decompose` is next";
    assert_eq!(standing(&orders[..1]).summary, expected);
    let rejected =
        r#"{"@type":"ProductOrder","state":"rejected","note":[{"text":"no such offering"}]}"#;
    assert_eq!(standing(&[rejected]).summary, "rejected: no such offering");
}

#[test]
fn a_plan_without_its_orders_shows_its_tasks() {
    let standing = standing(&[PLAN]);
    assert_eq!(
        (standing.id.as_str(), standing.type_name),
        ("1", "ProductOrder")
    );
    assert_eq!(standing.state, OrderState::Held);
    let names: Vec<&str> = standing.items.iter().map(ItemStanding::title).collect();
    assert_eq!(names, ["Bearer", "VLAN", "VLAN", "Modem"]);
}

#[test]
fn documents_without_an_order_stand_nowhere() {
    assert_eq!(
        Standing::of(&chain(&[r#"{"@type":"Customer","id":"1"}"#])),
        None
    );
    assert_eq!(Standing::of(&Chain::default()), None);
}

#[test]
fn hostile_values_neither_steer_the_terminal_nor_break_the_table() {
    let hostile = "\\u001b[2J\\n\\u2061owned\\u2064 \\u202e長い名前がここにあります".repeat(20);
    let orders = [
        PRODUCT
            .replace("Fibre 200", &hostile)
            .replace("\"1\"", &format!("\"{hostile}\"")),
        SERVICE.replace("Internet", &hostile),
        RESOURCE.replace("Bearer", &hostile),
        PLAN.replace("\"olt\"", &format!("\"{hostile}\""))
            .replace("500", &hostile),
    ];
    let texts: Vec<&str> = orders.iter().map(String::as_str).collect();
    let standing = standing(&texts);
    for width in [0, 60, 80, 200, u16::MAX] {
        let text = table::tree(&standing, width, Styling::Plain, Detail::Folded);
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{2061}') && !text.contains('\u{202e}')
        );
        let (table, _) = text
            .trim_end()
            .rsplit_once('\n')
            .expect("a table and a summary");
        let wide = |character: &char| ('\u{3000}'..'\u{a000}').contains(character);
        for line in table.lines() {
            let columns = line.chars().count() + line.chars().filter(wide).count();
            assert!(
                columns <= usize::from(width.max(table::NARROWEST)),
                "{width}: {line}"
            );
        }
    }
}

#[test]
fn a_deep_tree_stays_within_its_table() {
    let mut text = String::from(r#"{"id":"z"}"#);
    for _ in 0..60 {
        text = format!(r#"{{"id":"z","productOrderItem":[{text}]}}"#);
    }
    let text = format!(r#"{{"@type":"ProductOrder","id":"1","productOrderItem":[{text}]}}"#);
    let shown = table::tree(&standing(&[&text]), 80, Styling::Plain, Detail::Folded);
    assert_eq!(shown.lines().count(), 3 + 62 + 2);
    let (table, _) = shown
        .trim_end()
        .rsplit_once('\n')
        .expect("a table and a summary");
    assert!(
        table.lines().all(|line| line.chars().count() <= 80),
        "{shown}"
    );
}

#[test]
fn colours_enclose_states_and_change_nothing_else() {
    let standing = standing(&[PRODUCT, SERVICE, RESOURCE, PLAN]);
    let plain = table::tree(&standing, 80, Styling::Plain, Detail::Folded);
    let coloured = table::tree(&standing, 80, Styling::Ansi, Detail::Folded);
    assert!(coloured.contains("\u{1b}[31mheld\u{1b}[0m"));
    assert!(coloured.contains("\u{1b}[33minProgress\u{1b}[0m"));
    assert!(coloured.contains("\u{1b}[32mcompleted\u{1b}[0m"));
    let mut stripped = coloured;
    for code in ["31", "32", "33", "0"] {
        stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn a_list_has_a_line_an_order() {
    let orders = [
        Listed::from(standing(&[PRODUCT, SERVICE, RESOURCE, PLAN])),
        Listed {
            planned_at: None,
            changed_at: None,
            id: "2".into(),
            external_id: None,
            state: OrderState::Completed,
            tasks: Some((7, 7)),
            summary: "completed: 7 tasks".into(),
        },
    ];
    assert_eq!(
        table::list(&orders, 100, Styling::Plain),
        "\
────────────────────────────────────────────────────────────────────────────────────────────────────
 Order   External id   State        Tasks   Summary
════════════════════════════════════════════════════════════════════════════════════════════════════
 1       X-1           inProgress   1/4     held: Bearer at olt: 500 Internal Server Error; 2 tasks
                                            wait for it
 2                     completed    7/7     completed: 7 tasks
────────────────────────────────────────────────────────────────────────────────────────────────────
"
    );
}

#[test]
fn branches_go_on_beside_a_long_reason() {
    let plan = PLAN.replace(
        "500 Internal Server Error",
        "no answer within thirty seconds, three times",
    );
    let shown = table::tree(
        &standing(&[PRODUCT, SERVICE, RESOURCE, &plan]),
        70,
        Styling::Plain,
        Detail::Folded,
    );
    let lines: Vec<&str> = shown.lines().skip(9).take(4).collect();
    assert_eq!(
        lines,
        [
            " │     ├─ Bearer   olt               held           no answer within",
            " │     │                                            thirty seconds,",
            " │     │                                            three times",
            " │     ├─ b VLAN   bng               acknowledged   Bearer",
        ]
    );
}

#[test]
fn numbers_without_end_leave_a_list_within_its_width() {
    let order = Listed {
        planned_at: None,
        changed_at: None,
        id: "x".repeat(300),
        external_id: Some("y".repeat(300)),
        state: OrderState::AssessingCancellation,
        tasks: Some((usize::MAX, usize::MAX)),
        summary: "z".repeat(3000),
    };
    for width in [0, 80, 200] {
        assert!(!table::list(std::slice::from_ref(&order), width, Styling::Plain).is_empty());
    }
}

/// A resource order of so many profiles, three of which failed, and what they belong to.
fn fleet() -> [String; 4] {
    let product = r#"{"@type":"ProductOrder","id":"1","state":"partial","productOrderItem":[
      {"id":"1","action":"add","state":"failed","productOffering":{"name":"5G Fleet"}}]}"#;
    let service = r#"{"@type":"ServiceOrder","id":"1.S","state":"partial","serviceOrderItem":[
      {"id":"1.E","action":"add","state":"partial","service":{"name":"eSIM-Mgmt"},
       "serviceOrderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1"}}]}]}"#;
    let failed = |at: usize| [7, 400, 950].contains(&at);
    let items = (1..=1000).map(|at| {
        let state = if failed(at) { "failed" } else { "completed" };
        format!(
            r#"{{"id":"e{at}","action":"add","state":"{state}","resource":{{"name":"eSIM"}},"resourceSpecification":{{"id":"RS-ESIM"}},
              "orderItemRelationship":[{{"relationshipType":"realizes","orderItem":{{"itemId":"1.E"}}}}]}}"#
        )
    });
    let portal = r#"{"id":"p","action":"add","state":"cancelled","resource":{"name":"Portal"},
      "orderItemRelationship":[{"relationshipType":"realizes","orderItem":{"itemId":"1.E"}}]}"#;
    let items: Vec<String> = items.chain([portal.to_owned()]).collect();
    let resource = format!(
        r#"{{"@type":"ResourceOrder","id":"1.S.R","state":"partial","orderItem":[{}]}}"#,
        items.join(",")
    );
    let tasks = (1..=1000).map(|at| {
        let state = match at {
            7 => r#""cancelled","outcome":"failed","reason":"507 no profile left""#,
            400 | 950 => r#""cancelled","outcome":"failed","reason":"422 unknown EID""#,
            _ => r#""completed""#,
        };
        format!(
            r#"{{"id":"e{at}","name":"eSIM","kind":"activation","endpoint":"smdp","action":"add","taskFlowSpecification":"RS-ESIM","state":{state}}}"#
        )
    });
    let portal = r#"{"id":"p","name":"Portal","endpoint":"portal","action":"add","state":"cancelled","outcome":"givenUp",
      "reason":"needs eSIM (e7), which failed"}"#;
    let tasks: Vec<String> = tasks.chain([portal.to_owned()]).collect();
    let plan = format!(
        r#"{{"@type":"OrchestrationPlan","id":"1.P","taskFlow":[{}]}}"#,
        tasks.join(",")
    );
    [product.to_owned(), service.to_owned(), resource, plan]
}

#[test]
fn many_of_one_kind_are_one_line_and_those_that_failed_are_named() {
    let fleet = fleet();
    let standing = standing(&fleet.each_ref().map(String::as_str));
    let shown = table::tree(&standing, 90, Styling::Plain, Detail::Folded);
    assert_eq!(
        shown,
        "\
─────────────────────────────────────────────────────────────────────────────────────
 Order / item            Kind / endpoint   State       Waits for / reason
═════════════════════════════════════════════════════════════════════════════════════
 1                       ProductOrder      partial
 ├─ 1.S                  ServiceOrder      partial
 ├─ 1.S.R                ResourceOrder     partial
 └─ 1 5G Fleet           product           failed
    └─ eSIM-Mgmt         service           partial
       ├─ 1,000 eSIM     smdp              partial     997 completed, 3 failed
       │  ├─ e7 eSIM     smdp              failed      507 no profile left
       │  ├─ e400 eSIM   smdp              failed      422 unknown EID
       │  └─ e950 eSIM   smdp              failed      422 unknown EID
       └─ Portal         portal            cancelled   needs eSIM (e7), which failed
─────────────────────────────────────────────────────────────────────────────────────
partial: 997 of 1,000 eSIM active; failed: e7 (507 no profile left), e400 (422 unknown EID), e950 (422 unknown EID); 1 task given up
"
    );
    let all = table::tree(&standing, 90, Styling::Plain, Detail::All);
    assert_eq!(all.lines().count(), 3 + 5 + 1001 + 2);
    let status: serde_json::Value = serde_json::from_str(&json::line(&standing)).expect("JSON");
    let items = status["items"][0]["items"][0]["items"]
        .as_array()
        .expect("a list");
    assert_eq!(
        (items.len(), status["tasks"]["cancelled"].as_u64()),
        (1001, Some(4))
    );
    assert_eq!(items[6]["task"]["outcome"], "failed");
}

#[test]
fn what_is_below_many_is_folded_with_them() {
    let items = |layer: &str, list: &str, above: &str, item: &dyn Fn(usize) -> String| {
        let items: Vec<String> = (1..=12).map(item).collect();
        format!(
            r#"{{"@type":"{layer}","id":"{above}","state":"inProgress","{list}":[{}]}}"#,
            items.join(",")
        )
    };
    let service = items("ServiceOrder", "serviceOrderItem", "S", &|at| {
        format!(
            r#"{{"id":"v{at}","action":"add","state":"inProgress","service":{{"name":"Vehicle {at}","serviceSpecification":{{"id":"CFS-VEHICLE"}}}}}}"#
        )
    });
    let resource = items("ResourceOrder", "orderItem", "R", &|at| {
        let state = if at > 2 { "completed" } else { "held" };
        format!(
            r#"{{"id":"r{at}","action":"add","state":"{state}","resource":{{"name":"eSIM"}},
          "orderItemRelationship":[{{"relationshipType":"realizes","orderItem":{{"itemId":"v{at}"}}}}]}}"#
        )
    });
    let shown = table::tree(
        &standing(&[&service, &resource]),
        80,
        Styling::Plain,
        Detail::Folded,
    );
    let lines: Vec<&str> = shown.lines().skip(5).take(4).collect();
    assert_eq!(
        lines,
        [
            " └─ 12 Vehicle      service           inProgress   12 inProgress",
            "    └─ 12 eSIM      resource          held         10 completed, 2 held",
            "       ├─ r1 eSIM   resource          held",
            "       └─ r2 eSIM   resource          held",
        ]
    );
}

#[test]
fn what_a_task_waits_for_is_people_moments_and_others() {
    let plan = r#"{"@type":"OrchestrationPlan","id":"1.P","taskFlow":[
      {"id":"f","name":"Feasibility","kind":"activation","endpoint":"sq","gate":"feasibility","state":"completed",
       "startDate":"2026-12-01T08:00:00Z","completionDate":"2026-12-01T09:00:00Z","relatedEntity":[{"id":"1","@referredType":"ProductOrderItem"}]},
      {"id":"v","name":"Visit","kind":"manual","state":"new","taskFlowRelationship":[{"taskFlow":{"id":"f"}}]},
      {"id":"l","name":"Later","kind":"activation","endpoint":"olt","state":"new","taskFlowRelationship":[{"lag":"PT2H","taskFlow":{"id":"f"}}]},
      {"id":"w","name":"Port-In","kind":"activation","endpoint":"mnp","state":"new","window":{"start":"2026-12-05T08:00:00Z"}},
      {"id":"m","name":"Wave pilot","kind":"milestone","rolloutWave":"pilot","state":"new",
       "taskFlowRelationship":[{"taskFlow":{"id":"v"}},{"lag":"P1D","taskFlow":{"id":"w"}}]},
      {"id":"r","name":"Wave 1","kind":"manual","rolloutWave":"1","state":"new"}]}"#;
    let standing = standing(&[PRODUCT, plan]);
    assert_eq!(
        table::tree(&standing, 100, Styling::Plain, Detail::Folded),
        "\
──────────────────────────────────────────────────────────────────────────────────────
 Order / item        Kind / endpoint   State          Waits for / reason
══════════════════════════════════════════════════════════════════════════════════════
 1                   ProductOrder      inProgress
 ├─ 1 Fibre 200      product           inProgress
 │  └─ Feasibility   sq                completed
 ├─ Visit            person            acknowledged   a person
 ├─ Later            olt               acknowledged   not before 2026-12-01T11:00:00Z
 ├─ Port-In          mnp               acknowledged   not before 2026-12-05T08:00:00Z
 ├─ Wave pilot       milestone         acknowledged   Visit, 1 d after Port-In
 └─ Wave 1           person            acknowledged   a person
──────────────────────────────────────────────────────────────────────────────────────
waiting: Visit for a person (orderctl task complete 1 v), Later not before 2026-12-01T11:00:00Z, \
Port-In not before 2026-12-05T08:00:00Z, and 1 more; 1 of 6 tasks completed
"
    );
    let status: serde_json::Value = serde_json::from_str(&json::line(&standing)).expect("JSON");
    let task = |at: usize| &status["items"][at]["task"];
    assert_eq!(task(1)["waitsForPerson"], true);
    assert_eq!(task(2)["notBefore"], "2026-12-01T11:00:00Z");
    assert_eq!(task(4)["waitsFor"][1]["lag"], "PT24H");
}

#[test]
fn what_could_begin_waits_for_a_task_that_stops_the_order() {
    let plan = r#"{"@type":"OrchestrationPlan","id":"1.P","state":"hold","taskFlow":[
      {"id":"a","name":"Port","endpoint":"olt","state":"hold","reason":"no port"},
      {"id":"b","name":"VLAN","endpoint":"bng","state":"new"},
      {"id":"v","name":"Visit","kind":"manual","state":"new"}]}"#;
    let standing = standing(&[plan]);
    assert_eq!(
        standing.summary,
        "held: Port at olt: no port; 2 tasks wait for it"
    );
    let blocking = &standing.blocking;
    assert_eq!((blocking.total, &*blocking.tasks[0].id), (1, "a"));
    assert_eq!(blocking.tasks[0].holds_up, 2);
}

#[test]
fn what_was_done_and_undone_is_no_part_of_a_success() {
    let order = r#"{"@type":"ProductOrder","id":"1","state":"failed","productOrderItem":[{"id":"1","action":"add"}]}"#;
    let plan = r#"{"@type":"OrchestrationPlan","id":"1.P","state":"cancelled","taskFlow":[
      {"id":"a","name":"Port","state":"completed"},
      {"id":"b","name":"VLAN","state":"cancelled","outcome":"failed","reason":"no","taskFlowSpecification":"RS-V","action":"add"},
      {"id":"a~undo-1","name":"Undo Port","state":"completed","compensates":"a"}]}"#;
    assert_eq!(
        standing(&[order, plan]).summary,
        "failed: 0 of 1 VLAN active; failed: VLAN (no)"
    );
}

#[test]
fn a_point_of_no_return_is_told_once_it_is_passed() {
    let plan = |state: &str| {
        format!(
            r#"{{"@type":"OrchestrationPlan","taskFlow":[
              {{"id":"a","name":"Port-In","endpoint":"mnp","pointOfNoReturn":true,{state}}},
              {{"id":"b","name":"Voicemail","state":"new","taskFlowRelationship":[{{"taskFlow":{{"id":"a"}}}}]}}]}}"#
        )
    };
    assert_eq!(
        summary_of(&plan(r#""state":"new""#)),
        "not begun: 2 tasks; next: Port-In"
    );
    assert_eq!(
        summary_of(&plan(r#""state":"hold","reason":"window missed""#)),
        "held: Port-In at mnp: window missed; 1 task waits for it"
    );
    assert_eq!(
        summary_of(&plan(
            r#""state":"hold","reason":"no donor","startDate":"2026-12-05T08:00:00Z""#
        )),
        "held: Port-In at mnp: no donor; 1 task waits for it; past the point of no return: Port-In"
    );
}

#[test]
fn failures_are_named_while_the_rest_goes_on() {
    let failed = r#"{"id":"a","state":"cancelled","outcome":"failed","reason":"no"}"#;
    let plan = |rest: &str| {
        summary_of(&format!(
            r#"{{"@type":"OrchestrationPlan","taskFlow":[{failed},{rest}]}}"#
        ))
    };
    assert_eq!(
        plan(r#"{"id":"b","state":"active"}"#),
        "under way: b; 0 of 2 tasks completed; failed: a (no)"
    );
    assert_eq!(
        plan(r#"{"id":"b","state":"cancelled","outcome":"givenUp"}"#),
        "failed: 0 of 2 tasks done; failed: a (no); 1 task given up"
    );
}

#[test]
fn a_cancellation_that_nobody_is_at_work_on_says_where_it_stands() {
    let order = r#"{"@type":"ProductOrder","id":"1","state":"pendingCancellation","productOrderItem":[{"id":"1","action":"add"}]}"#;
    let plan = r#"{"@type":"OrchestrationPlan","id":"1.P","state":"active","taskFlow":[
      {"id":"a","name":"Port","state":"completed"},
      {"id":"a~undo-1","name":"Undo Port","state":"new","compensates":"a"}]}"#;
    let texts = [order, plan];
    assert_eq!(
        standing(&texts).summary,
        "a cancellation is being carried out"
    );
    let known = Known {
        run: Some(&RunStanding::Nobody),
        ..Known::default()
    };
    let standing = Standing::with(&chain(&texts), known).expect("an order chain");
    assert_eq!(
        standing.summary,
        "a cancellation was begun; interrupted: 1 of 2 tasks completed; next: Undo Port"
    );
}
