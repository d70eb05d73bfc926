//! The file: what is written can be read, by whom, and by whom not.

use std::collections::BTreeSet;
use std::fs::OpenOptions;

use serde_json::json;

use super::*;
use crate::journal::ClockKind;
use crate::journal::entry::{ByHand, Completed, Started};
use crate::journal::sqlite::{AtWork, JournalReader};
use crate::journal::{hand, verify};
use crate::model::state::FlowState;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn new_order(order_id: &str) -> NewOrder {
    NewOrder {
        at: at(1),
        planned: Planned {
            order_id: order_id.into(),
            external_id: Some(format!("EXT-{order_id}")),
            plan_digest: "sha256:0".into(),
            tasks: 2,
            clock: ClockKind::System,
        },
        documents: Arc::new(vec![
            format!("{{\"id\":\"{order_id}\"}}").into(),
            "{\"id\":\"plan\"}".to_owned().into(),
        ]),
        alone: None,
    }
}

fn started(task: &str) -> Entry {
    Entry {
        at: at(2),
        event: Event::Started(Started {
            task: task.into(),
            attempt: 1,
            idempotency_key: "k".into(),
            request_digest: "sha256:1".into(),
            point_of_no_return: false,
        }),
    }
}

fn completed(task: &str) -> Entry {
    let event = Completed {
        task: task.into(),
        status: 201,
        resource: None,
        note: None,
    };
    Entry {
        at: at(3),
        event: Event::Completed(event),
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn sql(path: &Path, text: &str) {
    Connection::open(path).unwrap().execute_batch(text).unwrap();
}

#[tokio::test]
async fn what_was_written_is_read_back_and_reading_leaves_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/with space?/journal #1.db");
    let writer = JournalWriter::open(&path).unwrap();
    let begun = writer.begin(new_order("7")).await.unwrap();
    assert_eq!(begun.entries.len(), 1);
    begun
        .lease
        .append(&[started("a"), started("b")])
        .await
        .unwrap();
    begun.lease.append(&[completed("a")]).await.unwrap();

    let beside = JournalReader::open(&path).unwrap();
    assert_eq!(beside.orders().unwrap()[0].owner, Some(std::process::id()));
    drop(beside);
    drop(begun);
    writer.close().await.unwrap();

    let parent = path.parent().unwrap();
    assert_eq!(names(parent), BTreeSet::from(["journal #1.db".to_owned()]));
    let bytes = fs::read(&path).unwrap();
    let reader = JournalReader::open(&path).unwrap();
    let orders = reader.orders().unwrap();
    assert_eq!(orders.len(), 1);
    let order = &orders[0];
    assert_eq!(
        (order.tasks, order.completed, order.active, order.held),
        (2, 1, 1, 0)
    );
    assert_eq!(
        (order.planned_at, order.changed_at, order.owner),
        (at(1), at(3), None)
    );
    assert_eq!(order.state(), FlowState::Active);
    let stored = reader.order("7").unwrap().unwrap();
    let documents: Vec<_> = new_order("7")
        .documents
        .iter()
        .map(|it| it.to_string())
        .collect();
    assert_eq!(stored.documents, documents);
    assert_eq!(stored.planned(), Some(&new_order("7").planned));
    let kinds: Vec<_> = stored.entries.iter().map(|it| it.event.kind()).collect();
    assert_eq!(kinds, ["planned", "started", "started", "completed"]);
    assert_eq!(
        reader.find_external_id("EXT-7").unwrap().as_deref(),
        Some("7")
    );
    assert_eq!(reader.find_external_id("EXT-8").unwrap(), None);
    assert!(reader.order("8").unwrap().is_none());
    assert_eq!(names(parent), BTreeSet::from(["journal #1.db".to_owned()]));
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn a_reader_that_opened_a_quiet_file_sees_what_is_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    JournalWriter::open(&path).unwrap().close().await.unwrap();
    let reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.orders().unwrap(), []);
    let writer = JournalWriter::open(&path).unwrap();
    let _begun = writer.begin(new_order("7")).await.unwrap();
    assert_eq!(reader.orders().unwrap().len(), 1);
    writer.begin(new_order("8")).await.unwrap();
    assert_eq!(reader.orders().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_has_one_owner_and_is_taken_over_from_the_dead() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let one = JournalWriter::open(&path).unwrap();
    let two = JournalWriter::open(&path).unwrap();
    let pid = std::process::id();
    let begun = one.begin(new_order("7")).await.unwrap();
    for writer in [&one, &two] {
        let busy = writer.begin(new_order("7")).await.unwrap_err();
        let JournalError::OrderBusy {
            order, host, since, ..
        } = &busy
        else {
            panic!("{busy}");
        };
        assert_eq!(order, "7");
        assert!(since.parse::<Timestamp>().is_ok(), "{since}");
        let said =
            format!("order 7 is being carried out by process {pid} on {host}, since {since}");
        assert_eq!(busy.to_string(), said);
    }
    two.begin(new_order("8")).await.unwrap();
    drop(begun);
    drop(one.begin(new_order("7")).await.unwrap());

    // What is given up is so before anything that is asked for later.
    one.begin(new_order("9")).await.unwrap();
    // Ended without giving the order up: the row stays, the lock does not.
    sql(
        &path,
        "INSERT INTO owner VALUES ('7', 1, '1-0', 'here', '2026-01-01T00:00:00Z')",
    );
    fs::write(folder.path().join("journal.db-owner-1-0"), "").unwrap();
    let begun = two.begin(new_order("7")).await.unwrap();
    assert_eq!(begun.entries.len(), 1);
    drop(begun);
    let three = JournalWriter::open(&path).unwrap();
    assert!(!names(folder.path()).contains("journal.db-owner-1-0"));
    for writer in [one, two, three] {
        writer.close().await.unwrap();
    }
    assert_eq!(
        names(folder.path()),
        BTreeSet::from(["journal.db".to_owned()])
    );
}

/// An order of one task that changes a product, as somebody sees it who has looked at so many orders.
fn change(order_id: &str, product: &str, seen: i64) -> NewOrder {
    let root = json!({
        "@type": "ProductOrder", "id": order_id,
        "productOrderItem": [{"id": "1", "action": "modify", "product": {"id": product}}]
    });
    let plan = json!({
        "@type": "OrchestrationPlan", "@baseType": "ProcessFlow", "formatVersion": "1.0",
        "id": "P", "processFlowSpecification": "OrchestrationPlan/1", "state": "active",
        "relatedEntity": [{"id": order_id, "role": "rootOrder", "@referredType": "ProductOrder"}],
        "digest": {"order": [], "plan": "sha256:0"},
        "schedule": {
            "expectedDuration": "PT0S", "totalDuration": "PT0S", "waves": 1, "criticalPath": []
        },
        "taskFlow": [{
            "id": "a", "@type": "TaskFlow", "name": "a", "kind": "manual", "state": "new",
            "relatedEntity": [], "duration": "PT0S", "earliestStart": "PT0S",
            "latestStart": "PT0S", "slack": "PT0S", "critical": false, "wave": 1
        }]
    });
    let mut new = new_order(order_id);
    new.planned.tasks = 1;
    new.documents = Arc::new(vec![root.to_string().into(), plan.to_string().into()]);
    new.alone = Some(Alone {
        subjects: vec![format!("product {product}")],
        seen,
    });
    new
}

#[tokio::test]
async fn of_two_that_begin_orders_about_one_product_at_the_same_moment_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let (one, two) = (
        JournalWriter::open(&path).unwrap(),
        JournalWriter::open(&path).unwrap(),
    );
    one.begin(new_order("1")).await.unwrap();
    // Both have looked when there was nothing but the first order.
    let begun = one.begin(change("2", "C-7", 1)).await.unwrap();
    let refused = two.begin(change("3", "C-7", 1)).await.unwrap_err();
    let subject = "product C-7".to_owned();
    let (order, other) = ("3".to_owned(), "2".to_owned());
    let busy = JournalError::SubjectBusy {
        order,
        other,
        subject,
    };
    assert_eq!(refused, busy);
    assert!(!two.knows("3").await.unwrap());
    two.begin(change("4", "C-8", 1)).await.unwrap();
    // What was begun is gone on with, whoever else is about the same.
    let mut again = change("2", "C-8", 0);
    again.documents = change("2", "C-7", 1).documents;
    let by_hand = ByHand {
        task: "a".into(),
        by: "jane".into(),
        reason: None,
    };
    let event = Event::CompletedByHand(by_hand);
    begun
        .lease
        .append(&[Entry { at: at(4), event }])
        .await
        .unwrap();
    drop(begun);
    one.begin(again).await.unwrap();
    // It has ended.
    two.begin(change("3", "C-7", 1)).await.unwrap();
    let busy = one.begin(change("5", "C-7", 1)).await.unwrap_err();
    assert!(
        busy.to_string().contains("order 3, which has not ended"),
        "{busy}"
    );
}

#[tokio::test]
async fn many_writers_make_one_journal_and_work_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut work = tokio::task::JoinSet::new();
    for number in 0..8 {
        let path = path.clone();
        work.spawn(async move {
            let opened = tokio::task::spawn_blocking(move || JournalWriter::open(&path));
            let writer = opened.await.unwrap().unwrap();
            let begun = writer.begin(new_order(&number.to_string())).await.unwrap();
            let all: Vec<_> = (0..50)
                .map(|_| begun.lease.append(&[started("a")]))
                .collect();
            for durable in all {
                durable.await.unwrap();
            }
            drop(begun);
            writer.close().await.unwrap();
        });
    }
    while let Some(ended) = work.join_next().await {
        ended.unwrap();
    }
    let reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.orders().unwrap().len(), 8);
    for number in 0..8 {
        let stored = reader.order(&number.to_string()).unwrap().unwrap();
        assert_eq!(stored.entries.len(), 51);
    }
}

#[tokio::test]
async fn a_file_that_is_no_journal_of_this_release_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, expected: &str| {
        let path = folder.path().join(name);
        let before = fs::read(&path).ok();
        let expected = expected.replace("PATH", &path.display().to_string());
        assert_eq!(
            JournalWriter::open(&path).unwrap_err().to_string(),
            expected
        );
        assert_eq!(
            JournalReader::open(&path).unwrap_err().to_string(),
            expected
        );
        assert_eq!(fs::read(&path).ok(), before);
    };
    sql(
        &folder.path().join("newer.db"),
        &format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 5;"),
    );
    refused(
        "newer.db",
        "journal PATH has schema 5, this orderctl reads up to 4: use a newer orderctl",
    );
    sql(&folder.path().join("other.db"), "CREATE TABLE entry (id)");
    refused("other.db", "PATH is not a journal of orderctl");
    fs::write(
        folder.path().join("text.db"),
        "not a database, but long enough for one".repeat(99),
    )
    .unwrap();
    refused("text.db", "PATH is not a journal of orderctl");
    fs::create_dir(folder.path().join("folder.db")).unwrap();
    refused("folder.db", "cannot open journal PATH: it is a folder");
    let absent = folder.path().join("absent/journal.db");
    assert_eq!(
        JournalReader::open(&absent).unwrap_err(),
        JournalError::NotFound {
            path: absent.clone()
        }
    );
    assert!(!absent.parent().unwrap().exists());
    fs::write(folder.path().join("empty.db"), "").unwrap();
    let reader = JournalReader::open(&folder.path().join("empty.db")).unwrap();
    assert_eq!(reader.orders().unwrap(), []);
}

/// The tables of schemas 1 and 2.
const FIRST_SCHEMA: &str = "
    CREATE TABLE plan (
        order_id    TEXT PRIMARY KEY,
        external_id TEXT,
        digest      TEXT NOT NULL,
        tasks       INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX plan_external_id ON plan (external_id) WHERE external_id IS NOT NULL;
    CREATE TABLE document (
        order_id TEXT NOT NULL REFERENCES plan,
        position INTEGER NOT NULL,
        text     TEXT NOT NULL,
        PRIMARY KEY (order_id, position)
    ) STRICT;
    CREATE TABLE entry (
        order_id TEXT NOT NULL REFERENCES plan,
        seq      INTEGER NOT NULL,
        at       TEXT NOT NULL,
        kind     TEXT NOT NULL,
        task     TEXT,
        detail   TEXT NOT NULL,
        PRIMARY KEY (order_id, seq)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE owner (
        order_id TEXT PRIMARY KEY,
        pid      INTEGER NOT NULL,
        token    TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

#[tokio::test]
async fn a_journal_of_the_first_schema_is_read_as_it_is_and_brought_up_to_date_when_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let version = |path: &Path| -> i64 {
        let connection = Connection::open(path).unwrap();
        connection
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap()
    };
    // As release 1 made it: entries without what was added since.
    sql(
        &path,
        &format!(
            r#"{FIRST_SCHEMA}
            PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;
            INSERT INTO plan VALUES ('7', NULL, 'sha256:0', 2);
            INSERT INTO document VALUES ('7', 0, '{{}}');
            INSERT INTO entry VALUES ('7', 1, '1970-01-01T00:00:01.000000Z', 'planned', NULL,
                '{{"orderId":"7","planDigest":"sha256:0","tasks":2}}');
            INSERT INTO entry VALUES ('7', 2, '1970-01-01T00:00:02.000000Z', 'started', 'a',
                '{{"attempt":1,"idempotencyKey":"k","requestDigest":"sha256:1"}}');"#
        ),
    );
    let before = fs::read(&path).unwrap();
    let reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.orders().unwrap()[0].active, 1);
    let old = reader.order("7").unwrap().unwrap().entries;
    drop(reader);
    assert_eq!(fs::read(&path).unwrap(), before);

    let writer = JournalWriter::open(&path).unwrap();
    let mut new = new_order("7");
    new.planned.external_id = None;
    let begun = writer.begin(new).await.unwrap();
    assert_eq!(format!("{:?}", begun.entries), format!("{old:?}"));
    assert_eq!(begun.entries[1].event.detail(), started("a").event.detail());
    begun.lease.append(&[completed("a")]).await.unwrap();
    drop(begun);
    writer.close().await.unwrap();
    assert_eq!(version(&path), 4);
    let orders = JournalReader::open(&path).unwrap().orders().unwrap();
    assert_eq!((orders[0].completed, orders[0].active), (1, 0));
}

#[tokio::test]
async fn a_journal_that_an_older_release_writes_is_not_brought_up_to_date_under_its_hands() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    sql(
        &path,
        &format!(
            "{FIRST_SCHEMA}
            PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2;
            INSERT INTO plan VALUES ('7', NULL, 'sha256:0', 2);
            INSERT INTO owner VALUES ('7', 4711, '4711-0');"
        ),
    );
    let lock = folder.path().join("journal.db-owner-4711-0");
    let living = fs::File::create(&lock).unwrap();
    living.lock().unwrap();
    let error = JournalWriter::open(&path).unwrap_err();
    let expected = JournalError::InUse {
        path: path.clone(),
        found: 2,
        pid: 4711,
    };
    assert_eq!(error, expected);
    assert!(
        JournalReader::open(&path).unwrap().orders().is_err(),
        "no entry"
    );
    let at_work = JournalReader::open(&path).unwrap().at_work("7").unwrap();
    let expected = AtWork {
        pid: 4711,
        host: None,
        since: None,
    };
    assert_eq!(at_work, Some(expected));
    drop(living);
    let at_work = JournalReader::open(&path).unwrap().at_work("7").unwrap();
    assert_eq!(at_work, None);
    JournalWriter::open(&path).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_journal_whose_entries_are_kept_order_by_order_is_brought_up_to_date_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let writer = JournalWriter::open(&path).unwrap();
    let (one, other) = (
        writer.begin(new_order("7")).await.unwrap().lease,
        writer.begin(new_order("8")).await.unwrap().lease,
    );
    for lease in [&one, &other] {
        lease.append(&[started("a")]).await.unwrap();
    }
    one.append(&[completed("a")]).await.unwrap();
    drop((one, other));
    writer.close().await.unwrap();
    let table = "order_id, seq, at, kind, task, detail, hash";
    // As the release before kept it.
    sql(
        &path,
        &format!(
            "CREATE TABLE old (
                order_id TEXT NOT NULL REFERENCES plan, seq INTEGER NOT NULL, at TEXT NOT NULL,
                kind TEXT NOT NULL, task TEXT, detail TEXT NOT NULL, hash BLOB NOT NULL,
                PRIMARY KEY (order_id, seq)
            ) STRICT, WITHOUT ROWID;
            INSERT INTO old SELECT {table} FROM entry;
            DROP TABLE entry;
            ALTER TABLE old RENAME TO entry;
            PRAGMA user_version = 3;"
        ),
    );
    let read = |sql: &str| -> Vec<String> {
        let connection = Connection::open(&path).unwrap();
        let mut rows = connection.prepare(sql).unwrap();
        let texts = rows.query_map([], |row| row.get(0)).unwrap();
        texts.map(Result::unwrap).collect()
    };
    let entries = format!(
        "SELECT json_array({}) FROM entry ORDER BY order_id, seq",
        table.replace("hash", "hex(hash)")
    );
    let layout = "SELECT sql FROM sqlite_schema WHERE name = 'entry'";
    let before = read(&entries);
    assert!(read(layout)[0].contains("WITHOUT ROWID"));

    JournalWriter::open(&path).unwrap().close().await.unwrap();
    assert_eq!((read(&entries), before.len()), (before, 5));
    assert!(!read(layout)[0].contains("WITHOUT ROWID"));
    let verified = verify::verify(&JournalReader::open(&path).unwrap()).unwrap();
    assert_eq!((verified.schema, verified.entries), (4, 5));
    // The plans of these orders are none; their entries fit to their hashes.
    let mut findings = verified.findings.iter();
    assert!(
        findings.all(|it| it.entry.is_none() && it.what.starts_with("its plan cannot be read")),
        "{:?}",
        verified.findings
    );
}

fn skipped(task: &str) -> Entry {
    let by_hand = ByHand {
        task: task.into(),
        by: "jane".into(),
        reason: None,
    };
    Entry {
        at: at(3),
        event: Event::Skipped(by_hand),
    }
}

/// What a person writes.
fn by_hand(path: &Path, entry: Entry) -> Option<(usize, Option<u32>)> {
    let decide = |found: &hand::Found| {
        let known = (found.stored.entries.len(), found.at_work);
        Ok::<_, JournalError>((vec![entry], known))
    };
    hand::write(path, "7", decide).unwrap()
}

#[tokio::test]
async fn people_write_beside_who_is_at_work_and_are_noticed_before_the_next_intent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let writer = JournalWriter::open(&path).unwrap();
    assert!(by_hand(&path, skipped("b")).is_none(), "no such order yet");
    let begun = writer.begin(new_order("7")).await.unwrap();
    let lease = begun.lease;
    assert!(lease.intend(&[started("a")], 1).await.unwrap());
    let pid = std::process::id();
    assert_eq!(by_hand(&path, skipped("b")), Some((2, Some(pid))));
    // Its place is taken, and the outcome of what was sent comes behind it.
    lease.append(&[completed("a")]).await.unwrap();
    assert!(!lease.intend(&[started("b")], 1).await.unwrap());
    let foreign = lease.look(1).await.unwrap();
    let known: Vec<_> = foreign
        .iter()
        .map(|it| (it.number, it.entry.event.kind()))
        .collect();
    assert_eq!(known, [(3, "skipped")]);
    assert_eq!(lease.look(3).await.unwrap().len(), 0);
    // Another task is nobody's business, and who knows of it may go on.
    by_hand(&path, skipped("c"));
    assert!(lease.intend(&[started("d")], 3).await.unwrap());
    assert!(!lease.intend(&[started("c")], 3).await.unwrap());
    assert_eq!(lease.changed(3).await.unwrap().len(), 1);
    assert!(lease.intend(&[started("c")], 5).await.unwrap());
    drop(lease);
    writer.close().await.unwrap();
    assert_eq!(by_hand(&path, skipped("e")), Some((7, None)));
    let stored = JournalReader::open(&path)
        .unwrap()
        .order("7")
        .unwrap()
        .unwrap();
    let told = |it: &Entry| format!("{} {}", it.event.kind(), it.event.task().unwrap_or("-"));
    let told: Vec<_> = stored.entries.iter().map(told).collect();
    assert_eq!(
        told,
        [
            "planned -",
            "started a",
            "skipped b",
            "completed a",
            "skipped c",
            "started d",
            "started c",
            "skipped e"
        ]
    );
}

#[test]
fn people_do_not_make_a_journal_nor_write_what_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &Path| {
        let decide = |_: &hand::Found| Ok::<_, JournalError>((Vec::new(), ()));
        hand::write(path, "7", decide).unwrap_err()
    };
    let absent = folder.path().join("absent.db");
    assert!(matches!(write(&absent), JournalError::NotFound { .. }));
    assert_eq!(names(folder.path()).len(), 0);
    let newer = folder.path().join("newer.db");
    sql(
        &newer,
        &format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 5;"),
    );
    let before = fs::read(&newer).unwrap();
    assert!(matches!(write(&newer), JournalError::NewerSchema { .. }));
    assert_eq!(fs::read(&newer).unwrap(), before);
}

#[tokio::test]
async fn after_an_error_everybody_is_told_and_nothing_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let writer = JournalWriter::open(&path).unwrap();
    let begun = writer.begin(new_order("7")).await.unwrap();
    sql(
        &path,
        "CREATE TRIGGER full BEFORE INSERT ON entry WHEN NEW.task = 'b'
         BEGIN SELECT RAISE(ABORT, 'no more'); END",
    );
    begun.lease.append(&[started("a")]).await.unwrap();
    let failed = begun.lease.append(&[started("b")]).await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        format!("journal {}: no more", path.display())
    );
    assert_eq!(
        begun.lease.append(&[started("c")]).await.unwrap_err(),
        failed
    );
    assert_eq!(writer.begin(new_order("8")).await.unwrap_err(), failed);
    drop(begun);
    assert_eq!(writer.clone().close().await.unwrap_err(), failed);
    assert_eq!(
        writer.begin(new_order("9")).await.unwrap_err(),
        JournalError::Closed { path: path.clone() }
    );
    let stored = JournalReader::open(&path)
        .unwrap()
        .order("7")
        .unwrap()
        .unwrap();
    assert_eq!(stored.entries.len(), 2);
}

#[tokio::test]
async fn a_full_disk_is_called_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = connect(&path).unwrap();
    let owner = prepare(&mut connection, &path).unwrap();
    connection
        .query_row("PRAGMA max_page_count = 12", [], |_| Ok(()))
        .unwrap();
    let mut file = File {
        orders: HashMap::new(),
        later: LaterSubjects::default(),
        copier: Copier::new(&path),
        path: path.clone(),
        connection,
        owner,
    };
    let mut new = new_order("7");
    new.documents = Arc::new(vec!["x".repeat(100_000).into()]);
    let (reply, _answer) = oneshot::channel();
    let Err(error) = file.commit(&[Command::Begin(Box::new(new), Vec::new(), reply)]) else {
        panic!("there was room");
    };
    assert_eq!(error, JournalError::DiskFull { path });
}

#[test]
fn a_file_that_others_keep_locked_is_called_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut connection = connect(&path).unwrap();
    let owner = prepare(&mut connection, &path).unwrap();
    connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    let mut file = File {
        orders: HashMap::new(),
        later: LaterSubjects::default(),
        copier: Copier::new(&path),
        path: path.clone(),
        connection,
        owner,
    };
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let Err(error) = file.commit(&[Command::Release("7".into())]) else {
        panic!("it was not locked");
    };
    assert_eq!(error, JournalError::Locked { path });
}

#[tokio::test]
async fn a_file_that_does_not_hold_together_is_called_corrupt() {
    use std::io::{Seek as _, SeekFrom, Write as _};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let writer = JournalWriter::open(&path).unwrap();
    drop(writer.begin(new_order("7")).await.unwrap());
    writer.close().await.unwrap();
    let length = fs::metadata(&path).unwrap().len();
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0x5a; usize::try_from(length - 4096).unwrap()])
        .unwrap();
    drop(file);
    let corrupt = |error| matches!(error, JournalError::Corrupt { .. });
    let reader = JournalReader::open(&path).unwrap();
    assert!(corrupt(reader.orders().unwrap_err()));
    assert!(corrupt(reader.order("7").unwrap_err()));
    assert!(corrupt(JournalWriter::open(&path).unwrap_err()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let locked = folder.path().join("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    // To the superuser nothing is read-only.
    if fs::write(locked.join("probe"), "").is_ok() {
        return;
    }
    let path = locked.join("journal.db");
    let message = JournalWriter::open(&path).unwrap_err().to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
}

#[tokio::test]
async fn rows_that_are_no_entries_are_reported_by_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let writer = JournalWriter::open(&path).unwrap();
    drop(writer.begin(new_order("7")).await.unwrap());
    sql(
        &path,
        "INSERT INTO entry VALUES ('7', 2, '2026-01-01T00:00:00Z', 'gone', 'a', '{}', x'00')",
    );
    let expected = format!(
        "journal {} is corrupt: order 7, entry 2: unknown kind of entry \"gone\"",
        path.display()
    );
    assert_eq!(
        writer.begin(new_order("7")).await.unwrap_err().to_string(),
        expected
    );
    writer.begin(new_order("8")).await.unwrap();
    let reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.order("7").unwrap_err().to_string(), expected);
}

#[tokio::test]
async fn what_is_copied_while_more_is_written_is_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let writer = JournalWriter::open(&path).unwrap();
    let text = format!("\"{}\"", "x".repeat(1 << 20));
    for order in 0..48 {
        let mut new = new_order(&order.to_string());
        new.documents = Arc::new(vec![text.clone().into()]);
        let begun = writer.begin(new).await.unwrap();
        begun.lease.append(&[started("a")]).await.unwrap();
    }
    writer.close().await.unwrap();
    let left: Vec<String> = names(folder.path()).into_iter().collect();
    let log = |it: &String| it.ends_with("-wal") || it.ends_with("-shm");
    assert!(!left.iter().any(log), "{left:?}");
    let reader = JournalReader::open(&path).unwrap();
    assert_eq!(reader.order_ids().unwrap().len(), 48);
    for order in 0..48 {
        let stored = reader.order(&order.to_string()).unwrap().unwrap();
        assert_eq!(stored.documents, [text.as_str()]);
        assert_eq!(stored.entries.len(), 2);
    }
}
