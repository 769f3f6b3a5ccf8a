import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.annotation.Nullable;
import org.apache.pinot.common.datatable.DataTable;
import org.apache.pinot.common.datatable.DataTableFactory;
import org.apache.pinot.common.metrics.BrokerMetrics;
import org.apache.pinot.common.request.BrokerRequest;
import org.apache.pinot.common.request.PinotQuery;
import org.apache.pinot.common.response.broker.BrokerResponseNative;
import org.apache.pinot.core.plan.maker.InstancePlanMakerImplV2;
import org.apache.pinot.core.query.config.SegmentPrunerConfig;
import org.apache.pinot.core.query.optimizer.QueryOptimizer;
import org.apache.pinot.core.query.pruner.SegmentPrunerService;
import org.apache.pinot.core.query.reduce.BrokerReduceService;
import org.apache.pinot.core.query.request.context.QueryContext;
import org.apache.pinot.core.query.request.context.utils.QueryContextConverterUtils;
import org.apache.pinot.core.transport.ServerRoutingInstance;
import org.apache.pinot.segment.local.indexsegment.immutable.ImmutableSegmentLoader;
import org.apache.pinot.segment.local.segment.creator.impl.SegmentIndexCreationDriverImpl;
import org.apache.pinot.segment.local.segment.index.loader.IndexLoadingConfig;
import org.apache.pinot.segment.spi.IndexSegment;
import org.apache.pinot.segment.spi.SegmentContext;
import org.apache.pinot.segment.spi.creator.SegmentGeneratorConfig;
import org.apache.pinot.spi.config.table.TableConfig;
import org.apache.pinot.spi.config.table.TableType;
import org.apache.pinot.spi.data.Schema;
import org.apache.pinot.spi.data.readers.GenericRow;
import org.apache.pinot.spi.data.readers.RecordReader;
import org.apache.pinot.spi.data.readers.RecordReaderConfig;
import org.apache.pinot.spi.env.PinotConfiguration;
import org.apache.pinot.spi.query.QueryThreadContext;
import org.apache.pinot.spi.utils.JsonUtils;
import org.apache.pinot.spi.utils.ReadMode;
import org.apache.pinot.sql.parsers.CalciteSqlCompiler;
import org.apache.pinot.sql.parsers.CalciteSqlParser;

/**
 * Apache Pinot's own segments and single-stage engine in one process: what a Pinot server and broker do with a query, without ZooKeeper,
 * controller and the network between them.
 *
 * <pre>
 *   PinotEngine build SCHEMA TABLE OUT FILE...       makes one segment of each file of JSON lines
 *   PinotEngine serve SCHEMA TABLE SEGMENTS PORT THREADS   answers POST /query/sql; prints its port when it does
 * </pre>
 *
 * Rows of a segment are sorted by the table's sorted column first, as Pinot does when it seals a consuming segment.
 */
public final class PinotEngine {
  private static final long TIMEOUT_MS = 300_000;
  /** Pinot forgets further groups; above the users of the events, so that its answers are exact. */
  private static final int GROUPS_MAX = 4_000_000;

  public static void main(String[] args) throws Exception {
    Schema schema = Schema.fromFile(new File(args[1]));
    TableConfig table = JsonUtils.fileToObject(new File(args[2]), TableConfig.class);
    if (args[0].equals("build")) {
      Path out = Path.of(args[3]);
      for (String file : Arrays.copyOfRange(args, 4, args.length)) {
        build(schema, table, out, Path.of(file));
      }
    } else {
      new PinotEngine(schema, table, Path.of(args[3]), Integer.parseInt(args[5])).serve(Integer.parseInt(args[4]));
    }
  }

  // --- segments ----------------------------------------------------------------------------------------------------

  private static void build(Schema schema, TableConfig table, Path out, Path file) throws Exception {
    SegmentGeneratorConfig config = new SegmentGeneratorConfig(table, schema);
    config.setOutDir(out.toString());
    config.setSegmentName(file.getFileName().toString().replace(".ndjson", ""));
    SegmentIndexCreationDriverImpl driver = new SegmentIndexCreationDriverImpl();
    List<String> sorted = table.getIndexingConfig().getSortedColumn();
    driver.init(config, new JsonLines(file, schema, sorted == null || sorted.isEmpty() ? null : sorted.get(0)));
    driver.build();
  }

  private static List<IndexSegment> load(Schema schema, TableConfig table, Path folder) throws Exception {
    IndexLoadingConfig config = new IndexLoadingConfig(table, schema);
    config.setReadMode(ReadMode.mmap);
    List<IndexSegment> segments = new ArrayList<>();
    try (var found = Files.list(folder)) {
      for (Path path : found.sorted().toList()) {
        // Also makes the indexes that the table asks for and the segment has not yet.
        segments.add(ImmutableSegmentLoader.load(path.toFile(), config));
      }
    }
    return segments;
  }

  /** The rows of a file, kept as text and parsed whenever they are asked for. */
  private static final class JsonLines implements RecordReader {
    private static final ObjectReader PARSER = new ObjectMapper().readerFor(new TypeReference<Map<String, Object>>() { });
    private final byte[][] lines;
    private final Set<String> columns;
    private int next;

    JsonLines(Path file, Schema schema, @Nullable String sorted) throws IOException {
      columns = schema.getColumnNames();
      try (var text = Files.lines(file)) {
        lines = text.map(line -> line.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
      }
      if (sorted != null) {
        sortBy(sorted);
      }
    }

    private void sortBy(String column) throws IOException {
      record Keyed(Comparable<Object> key, byte[] line) { }
      List<Keyed> keyed = new ArrayList<>(lines.length);
      for (byte[] line : lines) {
        @SuppressWarnings("unchecked")
        Comparable<Object> key = (Comparable<Object>) PARSER.<Map<String, Object>>readValue(line).get(column);
        keyed.add(new Keyed(key, line));
      }
      keyed.sort(Comparator.comparing(Keyed::key));
      Arrays.setAll(lines, row -> keyed.get(row).line());
    }

    @Override
    public void init(File file, @Nullable Set<String> fields, @Nullable RecordReaderConfig config) { }

    @Override
    public boolean hasNext() {
      return next < lines.length;
    }

    @Override
    public GenericRow next(GenericRow reuse) throws IOException {
      Map<String, Object> values = PARSER.readValue(lines[next++]);
      for (String column : columns) {
        reuse.putValue(column, values.get(column));
      }
      return reuse;
    }

    @Override
    public void rewind() {
      next = 0;
    }

    @Override
    public void close() { }
  }

  // --- queries -----------------------------------------------------------------------------------------------------

  private final Schema schema;
  private final List<IndexSegment> segments;
  private final int threads;
  private final ExecutorService workers;
  private final InstancePlanMakerImplV2 planner = new InstancePlanMakerImplV2();
  private final QueryOptimizer optimizer = new QueryOptimizer();
  private final SegmentPrunerService pruner;
  private final BrokerReduceService reducer;

  private PinotEngine(Schema schema, TableConfig table, Path folder, int threads) throws Exception {
    this.schema = schema;
    this.threads = threads;
    segments = load(schema, table, folder);
    workers = Executors.newFixedThreadPool(threads);
    planner.init(new PinotConfiguration());
    planner.setNumGroupsLimit(GROUPS_MAX);
    pruner = new SegmentPrunerService(new SegmentPrunerConfig(new PinotConfiguration(Map.of(
        "class", "ColumnValueSegmentPruner,BloomFilterSegmentPruner,SelectionQuerySegmentPruner"))));
    reducer = new BrokerReduceService(new PinotConfiguration(Map.of("pinot.broker.max.reduce.threads.per.query", threads)));
  }

  private String answer(String sql) {
    try (QueryThreadContext ignored = QueryThreadContext.openForSseTest()) {
      PinotQuery query = CalciteSqlParser.compileToPinotQuery(sql);
      optimizer.optimize(query, schema);
      query.putToQueryOptions("maxExecutionThreads", String.valueOf(threads));
      QueryContext context = QueryContextConverterUtils.getQueryContext(query);
      context.setSchema(schema);
      context.setEndTimeMs(System.currentTimeMillis() + TIMEOUT_MS);
      List<SegmentContext> wanted = pruner.prune(segments, context).stream().map(SegmentContext::new).toList();
      // As it travels from a server to a broker.
      byte[] table = planner.makeInstancePlan(wanted.isEmpty() ? List.of(new SegmentContext(segments.get(0))) : wanted, context, workers)
          .execute().toDataTable().toBytes();
      BrokerRequest request = CalciteSqlCompiler.convertToBrokerRequest(query);
      Map<ServerRoutingInstance, DataTable> tables = new HashMap<>();
      tables.put(new ServerRoutingInstance("localhost", 1, TableType.REALTIME), DataTableFactory.getDataTable(table));
      BrokerResponseNative response = reducer.reduceOnDataTable(request, request, tables, TIMEOUT_MS, BrokerMetrics.get());
      return response.toJsonString();
    } catch (Throwable error) {
      String message = String.valueOf(error).replace("\\", "\\\\").replace("\"", "'").replace("\n", " ");
      return "{\"exceptions\":[{\"errorCode\":200,\"message\":\"" + message + "\"}]}";
    }
  }

  private void serve(int port) throws IOException {
    ObjectMapper json = new ObjectMapper();
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 128);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/health", exchange -> send(exchange, "OK"));
    server.createContext("/query/sql", exchange ->
        send(exchange, answer(json.readTree(exchange.getRequestBody()).get("sql").asText())));
    server.start();
    System.out.println(server.getAddress().getPort());
  }

  private static void send(HttpExchange exchange, String text) throws IOException {
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(200, body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(body);
    }
  }
}
