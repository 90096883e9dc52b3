// Judge a claim from C# (.NET 10 or later; nothing to install): dotnet run Check.cs http://127.0.0.1:8087 < claim.json
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

var server = args.Length > 0 ? args[0] : "http://127.0.0.1:8087";
var token = Environment.GetEnvironmentVariable("WEAKCODE_TOKEN");

// One client for the whole program: it keeps its connections.
using var client = new HttpClient { BaseAddress = new Uri(server), Timeout = TimeSpan.FromSeconds(30) };
if (token is not null)
{
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
}
using var body = new StringContent(await Console.In.ReadToEndAsync(), Encoding.UTF8, "application/json");
using var answer = await client.PostAsync("/v1/check", body);
using var values = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
if (!answer.IsSuccessStatusCode)
{
    Console.Error.WriteLine(values.RootElement.GetProperty("detail").GetString());
    return 2;
}
var errors = 0;
foreach (var finding in values.RootElement.GetProperty("findings").EnumerateArray())
{
    var severity = finding.GetProperty("severity").GetString();
    var positions = string.Join(",", finding.GetProperty("positions").EnumerateArray());
    Console.WriteLine($"{severity} {finding.GetProperty("rule")} {positions} {finding.GetProperty("message")}");
    errors += severity == "error" ? 1 : 0;
}
return errors > 0 ? 1 : 0;
