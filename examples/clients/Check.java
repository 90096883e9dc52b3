// Judge a claim from Java 17 or later; nothing to install: java Check.java http://127.0.0.1:8087 < claim.json
// The verdict is printed as the server gives it; read it with the JSON library of your program.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

public class Check {
    public static void main(String[] arguments) throws Exception {
        String server = arguments.length > 0 ? arguments[0] : "http://127.0.0.1:8087";
        String token = System.getenv("WEAKCODE_TOKEN");
        String claim = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server + "/v1/check"))
                .timeout(Duration.ofSeconds(30))
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(claim));
        if (token != null) {
            request.header("authorization", "Bearer " + token);
        }
        // One client for the whole program: it keeps its connections.
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            System.err.println(answer.body());
            System.exit(2);
        }
        System.out.println(answer.body());
    }
}
