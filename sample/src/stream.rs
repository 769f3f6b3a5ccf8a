//! The sample streams and the files that belong to each.
//!
//! The schema and table texts are those of `schemas/` at the root of the repository, taken in at compile time, so that
//! the binary's quickstart and a user's `table create` work from the same bytes.

/// A sample stream. Its name is also that of its topic, its schema and its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Visits to a web shop: the flagship, and what the benchmark produces.
    Clickstream,
    /// The states that orders go through; exact decimals.
    Orders,
    /// Finished taxi rides; coordinates, text timestamps.
    Trips,
    /// Regular reports of a fleet of hosts; time in seconds.
    ServerMetrics,
    /// Devices that send several readings at once; multi-value columns.
    IotSensors,
    /// Log lines of services; nested JSON.
    AppLogs,
}

impl Stream {
    /// All streams, the flagship first.
    pub const ALL: [Stream; 6] = [
        Stream::Clickstream,
        Stream::Orders,
        Stream::Trips,
        Stream::ServerMetrics,
        Stream::IotSensors,
        Stream::AppLogs,
    ];

    /// Returns the name of the stream, its topic and its table.
    pub fn name(self) -> &'static str {
        match self {
            Stream::Clickstream => "clickstream",
            Stream::Orders => "orders",
            Stream::Trips => "trips",
            Stream::ServerMetrics => "server_metrics",
            Stream::IotSensors => "iot_sensors",
            Stream::AppLogs => "app_logs",
        }
    }

    /// Returns the stream with exactly this name.
    pub fn from_name(name: &str) -> Option<Stream> {
        Stream::ALL.into_iter().find(|stream| stream.name() == name)
    }

    /// Returns the text of `schemas/NAME.schema.json`.
    pub fn schema_json(self) -> &'static str {
        match self {
            Stream::Clickstream => include_str!("../../schemas/clickstream.schema.json"),
            Stream::Orders => include_str!("../../schemas/orders.schema.json"),
            Stream::Trips => include_str!("../../schemas/trips.schema.json"),
            Stream::ServerMetrics => include_str!("../../schemas/server_metrics.schema.json"),
            Stream::IotSensors => include_str!("../../schemas/iot_sensors.schema.json"),
            Stream::AppLogs => include_str!("../../schemas/app_logs.schema.json"),
        }
    }

    /// Returns the text of `schemas/NAME.table.json`.
    pub fn table_json(self) -> &'static str {
        match self {
            Stream::Clickstream => include_str!("../../schemas/clickstream.table.json"),
            Stream::Orders => include_str!("../../schemas/orders.table.json"),
            Stream::Trips => include_str!("../../schemas/trips.table.json"),
            Stream::ServerMetrics => include_str!("../../schemas/server_metrics.table.json"),
            Stream::IotSensors => include_str!("../../schemas/iot_sensors.table.json"),
            Stream::AppLogs => include_str!("../../schemas/app_logs.table.json"),
        }
    }

    /// Returns three queries that show what the stream is about. The first ones need nothing but plain SQL; multi-value
    /// filters and JSON functions come last.
    pub fn sample_queries(self) -> &'static [&'static str] {
        match self {
            Stream::Clickstream => &[
                "SELECT country, COUNT(*) AS events, SUM(revenue) AS turnover FROM clickstream \
                 GROUP BY country ORDER BY turnover DESC LIMIT 10",
                "SELECT status, COUNT(*) AS events, AVG(latency_ms) AS avg_ms, MAX(latency_ms) AS max_ms \
                 FROM clickstream GROUP BY status ORDER BY avg_ms DESC LIMIT 10",
                "SELECT url, COUNT(*) AS carts, COUNT(DISTINCT user_id) AS users FROM clickstream \
                 WHERE event_type = 'add_to_cart' GROUP BY url ORDER BY carts DESC LIMIT 10",
            ],
            Stream::Orders => &[
                "SELECT status, COUNT(*) AS changes, COUNT(DISTINCT order_id) AS distinct_orders FROM orders \
                 GROUP BY status ORDER BY changes DESC LIMIT 10",
                "SELECT currency, COUNT(*) AS paid, SUM(amount) AS turnover, MAX(amount) AS largest FROM orders \
                 WHERE status = 'paid' GROUP BY currency ORDER BY paid DESC LIMIT 10",
                "SELECT customer_name, city, gift_note FROM orders \
                 WHERE gift_note IS NOT NULL AND express = true ORDER BY updated_at DESC LIMIT 10",
            ],
            Stream::Trips => &[
                "SELECT city, COUNT(*) AS rides, AVG(fare) AS avg_fare, AVG(distance_km) AS avg_km FROM trips \
                 GROUP BY city ORDER BY rides DESC LIMIT 10",
                "SELECT pickup_zone, dropoff_zone, COUNT(*) AS rides FROM trips \
                 WHERE pickup_zone <> dropoff_zone GROUP BY pickup_zone, dropoff_zone ORDER BY rides DESC LIMIT 10",
                "SELECT vehicle, COUNT(*) AS tipped, AVG(tip) AS avg_tip FROM trips \
                 WHERE tip > 0 AND payment = 'card' GROUP BY vehicle ORDER BY avg_tip DESC LIMIT 10",
            ],
            Stream::ServerMetrics => &[
                "SELECT service, SUM(requests) AS answered, SUM(errors) AS failed, MAX(p99_ms) AS worst_p99_ms \
                 FROM server_metrics GROUP BY service ORDER BY failed DESC LIMIT 10",
                "SELECT host, MAX(cpu_percent) AS max_cpu, COUNT(*) AS reports FROM server_metrics \
                 WHERE healthy = false GROUP BY host ORDER BY max_cpu DESC LIMIT 10",
                "SELECT region, AVG(cpu_percent) AS avg_cpu, SUM(network_out_bytes) AS bytes_out FROM server_metrics \
                 GROUP BY region ORDER BY avg_cpu DESC LIMIT 10",
            ],
            Stream::IotSensors => &[
                "SELECT model, COUNT(*) AS reports, COUNT(DISTINCT device_id) AS devices, MIN(battery_percent) AS lowest \
                 FROM iot_sensors GROUP BY model ORDER BY reports DESC LIMIT 10",
                "SELECT device_id, site, tags, readings FROM iot_sensors \
                 WHERE battery_percent BETWEEN 0 AND 10 ORDER BY ts DESC LIMIT 10",
                "SELECT site, COUNT(*) AS overheated FROM iot_sensors \
                 WHERE alarm_codes = 17 AND tags = 'outdoor' GROUP BY site ORDER BY overheated DESC LIMIT 10",
            ],
            Stream::AppLogs => &[
                "SELECT service, level, COUNT(*) AS entries FROM app_logs \
                 GROUP BY service, level ORDER BY entries DESC LIMIT 20",
                "SELECT ts, service, message FROM app_logs WHERE level = 'ERROR' ORDER BY ts DESC LIMIT 10",
                "SELECT service, COUNT(*) AS calls, AVG(duration_ms) AS avg_ms, MAX(duration_ms) AS max_ms \
                 FROM app_logs WHERE http IS NOT NULL GROUP BY service ORDER BY avg_ms DESC LIMIT 10",
            ],
        }
    }
}
