//! Fills a store with keys, for measuring: `fill_keys <database file> <count>`. The store must have been started once.
//! The keys are of the first account's oldest workspace, and open nothing: no one has their secrets.

use sqlx::Connection as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(count)) = (args.next(), args.next()) else {
        return Err("usage: fill_keys <database file> <count>".into());
    };
    let count: i64 = count.parse()?;
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite:{file}")).await?;
    let filled = sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) \
         INSERT INTO api_keys (id, account_id, region, workspace_id, owner_id, description, description_key, public_id, \
         secret_hash, masked, created_at, version) \
         SELECT 'key-fill' || i, w.account_id, w.region, w.id, m.id, 'filled ' || i, 'filled ' || i, \
         substr('F00000000000' || i, -12), randomblob(32), 'sk-kg-F000…0000', w.created_at + i, 1 \
         FROM n, (SELECT * FROM workspaces ORDER BY created_at, id LIMIT 1) w \
         JOIN members m ON m.account_id = w.account_id AND m.role = 'owner'",
    )
    .bind(count)
    .execute(&mut connection)
    .await?
    .rows_affected();
    connection.close().await?;
    eprintln!("{filled} keys");
    Ok(())
}
