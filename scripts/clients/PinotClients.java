import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.pinot.client.Connection;
import org.apache.pinot.client.ConnectionFactory;
import org.apache.pinot.client.PinotClientException;
import org.apache.pinot.client.PinotDriver;
import org.apache.pinot.client.PreparedStatement;
import org.apache.pinot.client.ResultSet;
import org.apache.pinot.client.ResultSetGroup;

/**
 * Pinot's Java client and JDBC driver against a running server, whose address is the argument.
 *
 * <p>The table `clickstream` must hold rows that do not change meanwhile. What a client returns is compared with the server's own JSON,
 * read without any client.
 */
public final class PinotClients {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String TYPED =
      "SELECT event_type, user_id, status, latency_ms, ts FROM clickstream ORDER BY ts, session_id, seq LIMIT 20";
  private static final String GROUPED =
      "SELECT country, COUNT(*) AS n FROM clickstream GROUP BY country ORDER BY n DESC, country LIMIT 5";

  private final String address;
  private int passed;
  private int failed;

  private interface Test {
    void run() throws Exception;
  }

  private PinotClients(String address) {
    this.address = address;
  }

  public static void main(String[] arguments) {
    PinotClients clients = new PinotClients(arguments[0]);
    Map<String, Test> tests = new LinkedHashMap<>();
    tests.put("java client: rows and statistics", clients::javaRows);
    tests.put("java client: the controller names the broker", clients::javaThroughController);
    tests.put("java client: parameters of a prepared statement", clients::javaPrepared);
    tests.put("java client: faults", clients::javaFaults);
    tests.put("java client: the multi-stage dialect", clients::javaMultistage);
    tests.put("jdbc: rows with their types", clients::jdbcRows);
    tests.put("jdbc: prepared statements and limits", clients::jdbcPrepared);
    tests.put("jdbc: tables and columns", clients::jdbcMetadata);
    tests.put("jdbc: faults", clients::jdbcFaults);
    tests.put("jdbc: a tenant and query options", clients::jdbcOptions);
    tests.forEach(clients::check);
    String word = clients.failed == 0 ? "ok" : "FAILED";
    // As cargo's test runner sums up, so that one reader counts both.
    System.out.printf("test result: %s. %d passed; %d failed;%n", word, clients.passed, clients.failed);
    // Connections share one transport, so none of them is closed before the end; it leaves threads behind.
    System.exit(clients.failed == 0 ? 0 : 1);
  }

  private void check(String name, Test test) {
    try {
      test.run();
      passed++;
      System.out.println(name + " ... ok");
    } catch (Exception | AssertionError error) {
      failed++;
      System.out.println(name + " ... FAILED");
      error.printStackTrace(System.out);
    }
  }

  private void javaRows() throws Exception {
    Connection connection = ConnectionFactory.fromHostList(address);
    ResultSetGroup group = connection.execute(TYPED);
    equal(1, group.getResultSetCount());
    sameRows(raw("/query/sql", TYPED), group.getResultSet(0));
    ResultSet rows = group.getResultSet(0);
    equal(List.of("STRING", "LONG", "INT", "DOUBLE", "TIMESTAMP"), types(rows));
    long count = connection.execute("SELECT COUNT(*) FROM clickstream").getResultSet(0).getLong(0);
    equal(raw("/query/sql", "SELECT COUNT(*) FROM clickstream").get("rows").get(0).get(0).asLong(), count);
    equal(count, group.getExecutionStats().getTotalDocs());
    equal(1, group.getExecutionStats().getNumServersQueried());
    equal(1, group.getExecutionStats().getNumServersResponded());
    equal(false, group.getExecutionStats().isPartialResult());
  }

  private void javaThroughController() throws Exception {
    Connection connection = ConnectionFactory.fromController(address);
    sameRows(raw("/query/sql", GROUPED), connection.execute(GROUPED).getResultSet(0));
    sameRows(raw("/query/sql", GROUPED), connection.executeAsync(GROUPED).get().getResultSet(0));
  }

  private void javaPrepared() throws Exception {
    Connection connection = ConnectionFactory.fromHostList(address);
    JsonNode largest = raw("/query/sql", GROUPED).get("rows").get(0);
    PreparedStatement statement =
        connection.prepareStatement("SELECT COUNT(*) FROM clickstream WHERE country = ? AND status > ?");
    statement.setString(0, largest.get(0).asText());
    statement.setInt(1, -1);
    equal(largest.get(1).asLong(), statement.execute().getResultSet(0).getLong(0));
    statement.setString(0, "it's nowhere");
    equal(0L, statement.execute().getResultSet(0).getLong(0));
  }

  private void javaFaults() {
    Connection connection = ConnectionFactory.fromHostList(address);
    contains(fault(() -> connection.execute("SELECT nothing FROM clickstream")), "710", "`nothing`", "\"column\":8");
    contains(fault(() -> connection.execute("SELECT * FROM clickstraem")), "190", "did you mean `clickstream`?");
    contains(fault(() -> connection.execute("SELECT FROM WHERE")), "150", "line 1, column");
  }

  private void javaMultistage() throws Exception {
    Properties properties = new Properties();
    properties.setProperty("useMultistageEngine", "true");
    Connection connection = ConnectionFactory.fromController(properties, address);
    String sql =
        "SELECT a.country, SUM(a.status) AS s FROM clickstream a JOIN (SELECT DISTINCT country FROM clickstream) b"
            + " ON a.country = b.country GROUP BY a.country ORDER BY a.country LIMIT 3";
    ResultSet rows = connection.execute(sql).getResultSet(0);
    sameRows(raw("/query", sql), rows);
    equal(List.of("STRING", "LONG"), types(rows));
  }

  private java.sql.Connection jdbc(String parameters) throws SQLException {
    DriverManager.registerDriver(new PinotDriver());
    return DriverManager.getConnection("jdbc:pinot://" + address + parameters);
  }

  private void jdbcRows() throws Exception {
    try (java.sql.Connection connection = jdbc(""); Statement statement = connection.createStatement()) {
      java.sql.ResultSet rows = statement.executeQuery(TYPED);
      equal(Types.VARCHAR, rows.getMetaData().getColumnType(1));
      equal("ts", rows.getMetaData().getColumnName(5));
      int count = 0;
      for (JsonNode expected : raw("/query/sql", TYPED).get("rows")) {
        equal(true, rows.next());
        equal(expected.get(0).asText(), rows.getString("event_type"));
        equal(expected.get(1).asLong(), rows.getLong(2));
        equal(expected.get(2).asInt(), rows.getInt("status"));
        equal(expected.get(3).asDouble(), rows.getDouble(4));
        // The driver's own doing: it reads times to the second.
        equal(Timestamp.valueOf(expected.get(4).asText().substring(0, 19)), rows.getTimestamp("ts"));
        count++;
      }
      equal(20, count);
      equal(false, rows.next());
    }
  }

  private void jdbcPrepared() throws Exception {
    JsonNode largest = raw("/query/sql", GROUPED).get("rows").get(0);
    try (java.sql.Connection connection = jdbc("")) {
      java.sql.PreparedStatement prepared =
          connection.prepareStatement("SELECT COUNT(*) FROM clickstream WHERE country = ? AND latency_ms >= ?");
      prepared.setString(1, largest.get(0).asText());
      prepared.setDouble(2, -1.5);
      java.sql.ResultSet counted = prepared.executeQuery();
      counted.next();
      equal(largest.get(1).asLong(), counted.getLong(1));
      Statement limited = connection.createStatement();
      limited.setMaxRows(7);
      java.sql.ResultSet rows = limited.executeQuery("SELECT user_id FROM clickstream");
      int count = 0;
      while (rows.next()) {
        count++;
      }
      equal(7, count);
    }
  }

  private void jdbcMetadata() throws Exception {
    try (java.sql.Connection connection = jdbc("")) {
      java.sql.ResultSet tables = connection.getMetaData().getTables(null, null, null, null);
      Set<String> names = new HashSet<>();
      while (tables.next()) {
        names.add(tables.getString("TABLE_NAME"));
      }
      equal(Set.of("clickstream"), names);
      java.sql.ResultSet columns = connection.getMetaData().getColumns(null, null, "clickstream", null);
      Set<String> found = new HashSet<>();
      while (columns.next()) {
        found.add(columns.getString("COLUMN_NAME"));
      }
      equal(true, found.containsAll(Set.of("country", "user_id", "latency_ms", "ts")));
      equal(13, found.size());
    }
  }

  private void jdbcFaults() throws Exception {
    try (java.sql.Connection connection = jdbc(""); Statement statement = connection.createStatement()) {
      contains(fault(() -> statement.executeQuery("SELECT nothing FROM clickstream")), "nothing");
    }
  }

  private void jdbcOptions() throws Exception {
    try (java.sql.Connection connection = jdbc("?tenant=DefaultTenant&timeoutMs=30000&enableNullHandling=true");
        Statement statement = connection.createStatement()) {
      java.sql.ResultSet rows = statement.executeQuery(GROUPED);
      for (JsonNode expected : raw("/query/sql", GROUPED).get("rows")) {
        rows.next();
        equal(expected.get(0).asText(), rows.getString(1));
        equal(expected.get(1).asLong(), rows.getLong("n"));
      }
    }
  }

  /** Returns the server's table of results, without any client between. */
  private JsonNode raw(String path, String sql) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://" + address + path))
            .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(Map.of("sql", sql))))
            .build();
    String body = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    JsonNode answer = JSON.readTree(body);
    equal("[]", answer.get("exceptions").toString());
    return answer.get("resultTable");
  }

  private static void sameRows(JsonNode expected, ResultSet found) {
    equal(expected.get("rows").size(), found.getRowCount());
    for (int row = 0; row < found.getRowCount(); row++) {
      for (int column = 0; column < found.getColumnCount(); column++) {
        equal(expected.get("rows").get(row).get(column).asText(), found.getString(row, column));
      }
    }
  }

  private static List<String> types(ResultSet rows) {
    List<String> types = new java.util.ArrayList<>();
    for (int column = 0; column < rows.getColumnCount(); column++) {
      types.add(rows.getColumnDataType(column));
    }
    return types;
  }

  /** Returns the words of all causes of the fault that must come. */
  private static String fault(Test test) {
    try {
      test.run();
    } catch (Exception fault) {
      StringBuilder words = new StringBuilder();
      for (Throwable cause = fault; cause != null; cause = cause.getCause()) {
        words.append(cause.getMessage()).append('\n');
      }
      equal(true, fault instanceof PinotClientException || fault instanceof SQLException);
      return words.toString();
    }
    throw new AssertionError("no fault came");
  }

  private static void contains(String text, String... parts) {
    for (String part : parts) {
      if (!text.contains(part)) {
        throw new AssertionError("no `" + part + "` in: " + text);
      }
    }
  }

  private static void equal(Object expected, Object found) {
    if (!expected.equals(found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }
}
