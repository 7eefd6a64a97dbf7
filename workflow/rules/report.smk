rule report:
    input:
        unpack(job.reported),
        **job.made_by("report"),
    output:
        report(leaves("report")["main"], caption="../report/report.rst", category="matlabel"),
    log:
        log_of("report"),
    conda:
        "../../envs/matlabel.yaml"
    resources:
        **job.resources(),
    params:
        code=job.digest("report"),
        options=job.options("masks"),
    shell:
        "matlabel report --settings {input.settings} --dataset {input.list} {params.options} --results results"
        " --out {output} --code {params.code} > {log} 2>&1"
