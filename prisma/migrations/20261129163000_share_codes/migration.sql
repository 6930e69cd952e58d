-- CreateTable
CREATE TABLE "ShareCode" (
    "code" TEXT NOT NULL,
    "display" TEXT NOT NULL,
    "userId" BIGINT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ShareCode_pkey" PRIMARY KEY ("code")
);

-- CreateIndex
CREATE INDEX "ShareCode_display_idx" ON "ShareCode"("display");

-- CreateIndex
CREATE INDEX "ShareCode_userId_idx" ON "ShareCode"("userId");

-- CreateIndex
CREATE INDEX "ShareCode_createdAt_idx" ON "ShareCode"("createdAt");
